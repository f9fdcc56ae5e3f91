import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../../src/base/errors.js';
import { encode } from '../../../src/files/dtypes.js';
import { writeSafetensors } from '../../../src/files/safetensors/safetensors.js';
import type { DType } from '../../../src/model/dtypes.js';
import { readDump } from '../../../src/oracle/dump/read-dump.js';
import { expectRefused } from '../../files/helpers.js';
import { CONFIG, countingUp, headerOf, npyOf } from './support.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-dump-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Writes a file, and gives its path. */
async function write(name: string, content: Parameters<typeof writeFile>[1]): Promise<string> {
  const path = join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

const read = async (...file: Parameters<typeof write>) => readDump(await write(...file), CONFIG);
const ONE_TOKEN = npyOf(headerOf('|u1', '(1,)'), 1);

/** A model.norm of two rows, and a header that tells more. */
function normOf(metadata: Record<string, string>, dtype: DType = 'F32') {
  const chunks = [dtype === 'F32' ? encode('F32', countingUp([2, 8]).data) : new Uint8Array(16)];
  const tensor = { name: 'model.norm', dtype, shape: [2, 8], chunks };
  return writeSafetensors([tensor], new Map(Object.entries(metadata)));
}

describe('a trace that this program wrote', () => {
  it('has its tokens and positions in the header', async () => {
    const file = normOf({ kernels: 'exact', tokens: '[1,2,3]', positions: '[0,2]' });
    const { tokens, positions, tensors } = await read('trace.safetensors', file);
    expect([tokens, positions]).toEqual([
      [1, 2, 3],
      [0, 2],
    ]);
    expect(tensors.get('model.norm')!.rows).toEqual([0, 2]);
  });

  it.each(['3', '[]', '[1,]', '[1.5]', '["1"]'])('has no tokens in %s', async tokens => {
    await expectRefused(read('other.safetensors', normOf({ tokens })), 'BAD_INPUT', 'no tokens');
  });
});

describe('a directory', () => {
  it('may have other files beside its arrays: they are told', async () => {
    const logits = new Uint8Array(encode('F32', countingUp([331]).data));
    await write('arrays/readme.md', 'what this is');
    await write('arrays/tokens.npy', ONE_TOKEN);
    await write('arrays/logits.npy', npyOf(headerOf('<f4', '(1, 331)'), logits));
    const { notes, tokens } = await readDump(join(directory, 'arrays'), CONFIG);
    expect(tokens).toEqual([0]);
    expect(notes).toContain('left out, as they are no .npy files: readme.md');
  });

  it('without arrays has nothing to compare', async () => {
    await mkdir(join(directory, 'empty'));
    const path = join(directory, 'empty');
    await expectRefused(readDump(path, CONFIG), 'BAD_INPUT', path, 'nothing to compare');
  });

  it('names the file that is damaged', async () => {
    await write('damaged/tokens.npy', ONE_TOKEN);
    const path = await write('damaged/logits.npy', 'nothing');
    await expectRefused(readDump(dirname(path), CONFIG), 'BAD_CHECKPOINT', path);
  });
});

describe('is refused:', () => {
  it.each<[string, string | Uint8Array, LlamaErrorCode, ...string[]]>([
    ['theirs.pt', 'x', 'UNSUPPORTED', '.safetensors, no .npz and no directory of .npy'],
    ['text.npz', 'x'.repeat(100), 'BAD_CHECKPOINT', 'no end of a zip archive'],
    ['text.safetensors', 'x'.repeat(100), 'BAD_CHECKPOINT', 'a safetensors file?'],
  ])('%s', async (name, content, code, ...words) => {
    await expectRefused(read(name, content), code, name, ...words);
  });

  it('what is not there', async () => {
    const path = join(directory, 'none.npz');
    await expectRefused(readDump(path, CONFIG), 'NOT_FOUND', path);
  });

  it('a tensor of booleans', async () => {
    const file = read('bool.safetensors', normOf({ tokens: '[1,2]' }, 'BOOL'));
    await expectRefused(file, 'UNSUPPORTED', '"model.norm"', 'BOOL', 'float32');
  });
});
