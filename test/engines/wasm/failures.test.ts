/**
 * What goes wrong ends with an error that says so, an exit code, and nothing that keeps the process
 * alive.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compileKernels } from '../../../src/engines/wasm/choice/compile-kernels.js';
import { BUILDS } from '../../../src/engines/wasm/kernels/builds.js';
import { cli, FakeIo } from '../../cli/support.js';
import { DIST, node, script } from '../../support/child.js';
import { goldenPath } from '../../support/golden.js';
import { zeroModel } from '../../support/zero-model.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-failures-'));
});
afterAll(() => rm(directory, { recursive: true }));

const PLATFORM = JSON.stringify(`file://${DIST}engines/wasm/platform/here.js`);

/**
 * For scripts: a prompt of some passes, what a promise is rejected with, and the threads of the
 * engine.
 */
const PROMPT = `
  const { platform } = await import(${PLATFORM});
  const threads = [];
  const { startThread } = platform;
  platform.startThread = (...args) => {
    threads.push(startThread(...args));
    return threads.at(-1);
  };
  const rows = (model, count) => {
    const sequence = model.createSequence();
    const row = (_, position) => ({ token: position % 300, position, sequence });
    return Array.from({ length: count }, row);
  };
  const failure = promise => promise.then(() => 'nothing', error => error.code ?? error.message);
`;

it('a model that was forgotten is given back, though nobody closed it', async () => {
  const body = `
    let stopped = 0;
    const { platform } = await import(${PLATFORM});
    const { startThread } = platform;
    platform.startThread = (...args) => {
      const thread = startThread(...args);
      return { ...thread, stop: () => (stopped++, thread.stop()) };
    };
    await (async () => {
      for (let i = 0; i < 4; i++) {
        const { model } = await loadLlama(EMBEDDED_MODEL, { threads: 2 });
        const rows = [{ token: 1, position: 0, sequence: model.createSequence() }];
        await model.forward(rows);
      }
    })();
    for (let i = 0; i < 50 && stopped < 6; i++) {
      platform.collectGarbage();
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    console.log(stopped >= 6);
  `;
  expect(await script(body)).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
});

it('12 threads end without a warning of too many listeners', async () => {
  const body = `
    const { model } = await loadLlama(EMBEDDED_MODEL, { threads: 12 });
    await model.close();
    console.log('closed');
  `;
  expect(await script(body)).toEqual({ code: 0, stdout: 'closed\n', stderr: '' });
});

describe('a process ends by itself', () => {
  it.each([
    [
      'though the model was not closed',
      'await model.forward(rows(model, 9)); console.log("done")',
      'done',
    ],
    [
      'after a worker was ended in the middle of a pass',
      `const pass = failure(model.forward(rows(model, 1500)));
       threads[1].stop();
       console.log(await pass, await failure(model.forward(rows(model, 1))))`,
      'WORKER_FAILED WORKER_FAILED',
    ],
    [
      'after a worker threw',
      `const task = { kind: 'pack', bank: 99, rows: 1, columns: 1, format: 'f32', dtype: 'F32' };
       threads[1].send(task);
       console.log(await failure(model.forward(rows(model, 9))))`,
      'WORKER_FAILED',
    ],
    [
      'after a prompt was aborted in the middle',
      `const controller = new AbortController();
       const onLayer = done => done > 0 && controller.abort(new Error("enough"));
       const options = { signal: controller.signal, onLayer };
       console.log(await failure(model.forward(rows(model, 2000), options)));
       await model.close()`,
      'enough',
    ],
    [
      'after the model was closed in the middle of a pass, and again',
      `const pass = failure(model.forward(rows(model, 1500)));
       const later = rows(model, 1);
       await Promise.all([model.close(), model.close()]);
       await model.close();
       console.log(await pass, await failure(model.forward(later)))`,
      'DISPOSED DISPOSED',
    ],
  ])('%s', async (_, body, said) => {
    const load = 'const { model } = await loadLlama(EMBEDDED_MODEL, { threads: 3 });';
    expect(await script(PROMPT + load + body)).toEqual({
      code: 0,
      stdout: `${said}\n`,
      stderr: '',
    });
  });

  it('after loading was aborted, wherever it was', async () => {
    // The progress of a stretch is told while the next one is being packed.
    const body = `
      let aborted = 0;
      for (let after = 0; after < 30; after += 3) {
        const controller = new AbortController();
        let calls = 0;
        const onProgress = () => calls++ === after && controller.abort(new Error("enough"));
        const options = { threads: 2, signal: controller.signal, onProgress };
        const loading = loadLlama(EMBEDDED_MODEL, options);
        aborted += (await failure(loading)) === "enough";
      }
      const signal = AbortSignal.abort(new Error("at once"));
      const loading = loadLlama(EMBEDDED_MODEL, { signal });
      console.log(aborted, await failure(loading))`;
    expect(await script(PROMPT + body)).toEqual({ code: 0, stdout: '10 at once\n', stderr: '' });
  });

  it('after reading failed in the middle of loading', async () => {
    const path = join(directory, 'shrinking');
    await cp(goldenPath('gqa'), path, { recursive: true });
    const body = `
      const { truncateSync } = await import("node:fs");
      const file = ${JSON.stringify(join(path, 'model.safetensors'))};
      const onProgress = () => truncateSync(file, 5000);
      console.log(await failure(loadLlama(${JSON.stringify(path)}, { threads: 2, onProgress })))`;
    expect(await script(PROMPT + body)).toEqual({
      code: 0,
      stdout: 'BAD_CHECKPOINT\n',
      stderr: '',
    });
  });
});

it('20 models loaded and closed, and all kept, take no more memory than 3', async () => {
  const megabytes = 64;
  const path = join(directory, 'zeros');
  await zeroModel(path, megabytes);
  const body = `
    const models = [];
    for (let i = 0; i < 20; i++) {
      const { model } = await loadLlama(${JSON.stringify(path)}, { threads: 1 });
      await model.close();
      models.push(model);
    }
    console.log(models.length, Math.round(process.resourceUsage().maxRSS / 1024))`;
  const { code, stdout, stderr } = await script(body);
  expect([code, stderr]).toEqual([0, '']);
  const [models, peak] = stdout.split(' ').map(Number);
  expect(models).toBe(20);
  expect(peak).toBeGreaterThan(megabytes);
  expect(peak).toBeLessThan(120 + 3 * megabytes); // what is freed goes back a moment later
});

describe('the command line', () => {
  const generate = ['generate', '--prompt', 'Hi', '--max-new-tokens', '3'];

  it('ends with 130 when loading is interrupted', async () => {
    const io = new FakeIo(['stderr']);
    const write = io.stderr.write.bind(io.stderr);
    vi.spyOn(io.stderr, 'write').mockImplementation((...args: unknown[]) => {
      if (String(args[0]).includes('loading')) io.interrupt();
      return write(String(args[0]));
    });
    const { code, stdout, stderr } = await cli([...generate, '--model', goldenPath('gqa')], '', io);
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toContain('interrupted');
  });

  it.skipIf(process.arch !== 'x64')('ends with 3 on a processor without SIMD', async () => {
    const { code, stdout, stderr } = await node(
      '--no-enable-sse4-1',
      join(DIST, 'cli/main.js'),
      ...generate,
      '--json',
    );
    expect([code, stdout]).toEqual([3, '']);
    expect(JSON.parse(stderr).error).toEqual({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('--kernels exact'),
    });
  });

  it('ends with 4 on a context that no memory holds', async () => {
    // The factor, so that the last position can be rotated.
    const options = ['--context', '2000000000', '--rope-factor', '10000'];
    const { code, stderr } = await node(join(DIST, 'cli/main.js'), 'chat', ...options);
    expect(code).toBe(4);
    expect(stderr).toContain('OUT_OF_MEMORY');
  });

  it.each(['truncated', 'corrupt', 'missing'])(
    'ends with 1 on an installation whose kernels are %s',
    async damage => {
      const dist = join(directory, damage, 'dist');
      await cp(DIST, dist, { recursive: true });
      await writeFile(join(directory, damage, 'package.json'), '{"type":"module"}');
      await symlink(
        join(DIST, '../node_modules'),
        join(directory, damage, 'node_modules'),
        'junction',
      );
      for (const build of BUILDS) {
        const path = join(dist, 'engines/wasm', `${build}.wasm`);
        const bytes = await readFile(path);
        if (damage === 'missing') await rm(path);
        else
          await writeFile(
            path,
            damage === 'truncated' ? bytes.subarray(0, 5000) : bytes.fill(255, 3000, 3100),
          );
      }
      const main = join(dist, 'cli/main.js');
      const { code, stdout, stderr } = await node(
        main,
        ...generate,
        '--model',
        goldenPath('gqa'),
        '--json',
      );
      expect([code, stdout]).toEqual([1, '']);
      const { error } = JSON.parse(stderr);
      expect(error.code).toBe('BROKEN_INSTALLATION');
      expect(error.message).toMatch(
        /(simd|relaxed|dot4)\.wasm is missing or damaged; install llama-32k again/,
      );
    },
  );
});

it('an engine without SIMD is UNSUPPORTED', async () => {
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  await expect(compileKernels('auto')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await expect(compileKernels('off', 'simd')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  validate.mockRestore();
});
