/**
 * Whatever ends a conversion before its time: nothing is at the output, and nothing is left beside
 * it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withPartial } from '../../src/base/partial.js';
import { convertModel } from '../../src/convert/convert.js';
import { writeOutput } from '../../src/convert/output.js';
import { quantizeModel } from '../../src/convert/quantize.js';
import { checkWritingSpace, WRITE, writeFlushed } from '../../src/convert/written-disk.js';
import { bytesOf } from '../../src/files/dtypes.js';
import { openFile } from '../../src/files/file.js';
import { openSafetensors, writeSafetensors } from '../../src/files/safetensors/safetensors.js';
import { expectRefused } from '../files/helpers.js';
import { goldenPath } from '../support/golden.js';
import { zeroModel } from '../support/zero-model.js';
import { temporaryDirectory } from './support.js';

const { at, names } = temporaryDirectory();
const FORMS = ['model.gguf', 'model'];

describe.each(FORMS)('%s', output => {
  it('an abort, after half of the bytes', async () => {
    const controller = new AbortController();
    const why = new Error('enough');
    const seen: string[][] = [];
    let [written, ofTotal] = [0, 0];
    const converting = convertModel(goldenPath('gqa'), at(output), {
      signal: controller.signal,
      onProgress(done, total) {
        [written, ofTotal] = [done, total];
        if (done > total / 2) controller.abort(why);
      },
    });
    const watching = (async () => {
      for (; !controller.signal.aborted; await new Promise(setImmediate)) seen.push(await names());
    })();
    await expect(converting).rejects.toBe(why);
    await watching;
    expect(written).toBeLessThan(ofTotal); // at once, not at the end
    expect(await names()).toEqual([]);
    expect(seen.flat()).not.toContain(output); // not even while it was written
  });

  it('an abort before anything', async () => {
    const signal = AbortSignal.abort(new Error('no'));
    await expect(convertModel(goldenPath('mha'), at(output), { signal })).rejects.toThrow('no');
    expect(await names()).toEqual([]);
  });
});

it.each([1, 2])('a number that is none, in the last tensor, with %i threads', async threads => {
  await cp(goldenPath('mha'), at('source'), {
    recursive: true,
    filter: file => !/trace|greedy/.test(file),
  });
  const file = await openSafetensors(await openFile(goldenPath('mha/model.safetensors')));
  const tensors = [];
  for (const tensor of file.tensors.values()) {
    const numbers = Float32Array.from(await tensor.read());
    if (tensor.name === 'model.norm.weight') numbers[59] = Number.NaN;
    tensors.push({
      name: tensor.name,
      dtype: 'F32' as const,
      shape: tensor.shape,
      chunks: [bytesOf(numbers)],
    });
  }
  await file.close();
  await writeFile(at('source', 'model.safetensors'), writeSafetensors(tensors));
  const converting = convertModel(at('source'), at('model'), { type: 'f16', threads });
  await expectRefused(converting, 'NOT_FINITE', 'tensor "model.norm.weight"');
  expect(await names()).toEqual(['source']);
});

it('a forced replacement that fails leaves the file that was there', async () => {
  await writeFile(at('model.gguf'), 'mine');
  const signal = AbortSignal.abort(new Error('no'));
  const options = { type: 'q8_0', force: true, signal } as const;
  await expect(quantizeModel(goldenPath('mha'), at('model.gguf'), options)).rejects.toThrow('no');
  expect([await names(), await readFile(at('model.gguf'), 'utf8')]).toEqual([
    ['model.gguf'],
    'mine',
  ]);
});

describe('writing', () => {
  it.each(['file', 'new-directory', 'directory'] as const)(
    'that fails half-way leaves nothing: %s',
    async kind => {
      async function* half() {
        yield new Uint8Array(1000);
        throw new Error('the source broke');
      }
      if (kind === 'directory') await mkdir(at('output'));
      const files = [
        ...(kind === 'file' ? [] : [{ name: 'a', bytes: 10, chunks: [new Uint8Array(10)] }]),
        { name: 'b', bytes: 2000, chunks: half() },
      ];
      const writing = writeOutput({ path: at('output'), kind }, files, {});
      await expect(writing).rejects.toThrow('the source broke');
      const left = kind === 'directory' ? await readdir(at('output')) : await names();
      expect(left).toEqual([]);
    },
  );

  it('what the system refuses is WRITE_FAILED, and names the path', async () => {
    await writeFile(at('file'), '');
    await expectRefused(
      writeFlushed(at('file'), []),
      'WRITE_FAILED',
      'cannot write',
      at('file'),
      'EEXIST',
    );
    const nowhere = withPartial(at('no'), 'file', WRITE, async () => {});
    await expectRefused(nowhere, 'WRITE_FAILED', at('no', 'file'), 'ENOENT');
  });

  it('a full disk is named as such', async () => {
    const full = writeFlushed(at('file'), failing('ENOSPC'));
    await expectRefused(full, 'WRITE_FAILED', 'the disk is full', at('file'));
  });

  it('nothing is asked for before the last chunk was written', async () => {
    let size = 0;
    async function* chunks() {
      for (let i = 1; i <= 3; i++) {
        yield new Uint8Array(5000);
        size = (await readFile(at('file'))).length;
        expect(size).toBe(5000 * i);
      }
    }
    await writeFlushed(at('file'), chunks());
    expect(size).toBe(15000);
  });
});

async function* failing(code: string): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  throw Object.assign(new Error(code), { code, syscall: 'write' });
}

it('too little space is told before anything is written, with both numbers', async () => {
  await expectRefused(
    checkWritingSpace(at(), 2 ** 60),
    'WRITE_FAILED',
    '1152922 TB to write',
    'free in',
    at(),
  );
  await checkWritingSpace(at(), 1);
});

it.skipIf(process.platform === 'win32').each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends the program with %i, and leaves nothing', async (signal, code) => {
  await zeroModel(at('source'), 1500); // converting takes seconds
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const args = ['convert', '--model', at('source'), '--output', at('model'), '--type', 'f16'];
  const child = spawn(process.execPath, [main, ...args]);
  const ended = once(child, 'exit');
  const stderr: Buffer[] = [];
  child.stderr.on('data', chunk => stderr.push(chunk));
  await isWriting();
  child.kill(signal);
  expect(await ended).toEqual([code, null]);
  expect(Buffer.concat(stderr).toString()).toContain('interrupted');
  expect(await names()).toEqual(['source']);

  /** Until there is some of the weights in the temporary directory. */
  async function isWriting(): Promise<void> {
    for (;;) {
      const [partial] = (await names()).filter(name => name.startsWith('model.partial-'));
      const files =
        partial === undefined ? [] : await readdir(at(partial, 'model')).catch(() => []);
      if (files.includes('model.safetensors')) return;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  }
});
