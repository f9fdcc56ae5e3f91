/**
 * Programs with more threads, models and texts than Node's ten listeners: it takes more for a leak,
 * and warns on stderr as soon as somebody else adds one.
 */
import { expect, it } from 'vitest';
import { DIST, node } from '../../support/child.js';

const HEADER = `
  import { loadModel } from ${JSON.stringify(`file://${DIST}load/model.js`)};
  import { createScheduler, generate } from ${JSON.stringify(`file://${DIST}index.js`)};
  import { RecoderPool } from ${JSON.stringify(`file://${DIST}convert/recoder-pool.js`)};
  /** What any program may do with its output, on all events that Node itself listens to. */
  const EVENTS = ['error', 'close', 'finish', 'unpipe', 'drain'];
  const listen = () => {
    for (const stream of [process.stdout, process.stderr])
      for (const event of EVENTS) stream.once(event, () => {});
  };
`;

/** The program must end by itself. */
async function printsOf(body: string) {
  const { code, stdout, stderr } = await node(
    ...['--trace-warnings', '--input-type=module', '--eval', HEADER + body],
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

it('16 threads of an engine and of a conversion leave a program’s output alone', async () => {
  const stdout = await printsOf(`
    const { model } = await loadModel(undefined, { threads: 16 });
    listen();
    const sequence = model.createSequence();
    await model.forward([{ token: 1, position: 0, sequence }]);
    const recoders = new RecoderPool(16);
    const { length } = await recoders.recode(new Uint8Array(4), 'F32', 'F16');
    listen();
    console.log(length);
    await recoders.close();
  `);
  expect(stdout).toBe('2\n');
});

it('one signal for 20 passes and 20 texts at once', async () => {
  const stdout = await printsOf(`
    const { model, tokenizer } = await loadModel(undefined, { threads: 2 });
    const { signal } = new AbortController();
    const many = work => Promise.all(Array.from({ length: 20 }, work));
    await many(() => {
      const sequence = model.createSequence();
      return model.forward([{ token: 1, position: 0, sequence }], { signal });
    });
    const scheduler = createScheduler(model, tokenizer);
    await many(async () => {
      for await (const _ of scheduler.generate([1], { maxNewTokens: 2, signal }));
    });
    console.log('done');
  `);
  expect(stdout).toBe('done\n');
});

it('what a thread prints comes out, and in the end everything ends', async () => {
  const worker = `file://${DIST}base/worker.js`;
  const stdout = await printsOf(`
    const { startWorker } = await import(${JSON.stringify(worker)});
    const thread = startWorker('dist/convert/recoder-worker.js');
    thread.stdout.push('from a thread');
    thread.unref();
  `);
  expect(stdout).toBe('from a thread');
});
