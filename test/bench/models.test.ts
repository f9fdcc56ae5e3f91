/**
 * The models that benchmarks run on: both sides must compute the same function, or their figures
 * say nothing.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asStored, encodeGgml } from '../../bench/ggml-types.js';
import type { Numbers } from '../../bench/numbers.js';
import { llamaMetadata, llamaTensors, makeRandomGguf } from '../../bench/peers/llama-gguf.js';
import { makeRandomCheckpoint } from '../../bench/random-checkpoint.js';
import { randomNumbers } from '../../bench/random-weights.js';
import { SHAPES } from '../../bench/shapes.js';
import { writeOnce } from '../../bench/write-once.js';
import { bytesOf, decode, encode } from '../../src/files/dtypes.js';
import { ggufDataBytes, writeGguf } from '../../src/files/gguf/writer.js';
import { loadLlama } from '../../src/load/model.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { collect } from '../files/helpers.js';
import { allLogits } from '../support/golden.js';

describe('rows of Q and K', () => {
  const shape = { V: 300, D: 48, F: 32, L: 1, H: 3, K: 1, positions: 8, ropeFactor: 1 };
  /** Every number says where it is from. */
  const counting: Numbers = {
    *matrix(_, count) {
      yield bytesOf(Float32Array.from({ length: count }, (_, i) => i));
    },
    vector: (_, count) => new Float32Array(count),
  };
  const numbersOf = async (name: string) => {
    const tensor = llamaTensors(shape, counting, 'f32').find(({ name: n }) => n === name)!;
    return decode('F32', await collect(tensor.chunks));
  };

  it.each([
    ['blk.0.attn_q.weight', 3],
    ['blk.0.attn_k.weight', 1],
  ])('%s: number 2i + p of a head is number i + p·d/2 of the checkpoint', async (name, heads) => {
    const numbers = await numbersOf(name);
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < 8; i++) {
        for (const p of [0, 1]) {
          const to = head * 16 + 2 * i + p;
          const from = head * 16 + i + p * 8;
          expect(numbers.subarray(to * 48, (to + 1) * 48)).toEqual(
            Float32Array.from({ length: 48 }, (_, k) => from * 48 + k),
          );
        }
      }
    }
  });

  it('V stays as it is', async () => {
    expect(await numbersOf('blk.0.attn_v.weight')).toEqual(
      Float32Array.from({ length: 16 * 48 }, (_, i) => i),
    );
  });
});

describe('GGUF', () => {
  it('is the same model as the checkpoint, bit for bit, with a vocabulary', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'llama-32k-test-'));
    const shape = { V: 300, D: 48, F: 32, L: 2, H: 3, K: 1, positions: 64, ropeFactor: 8 };
    const [directory, gguf] = [join(folder, 'f32'), join(folder, 'f32.gguf')];
    await makeRandomCheckpoint(directory, shape, 'F32');
    await makeRandomGguf(gguf, shape, 'f32');
    const logits = [];
    for (const path of [directory, gguf]) {
      const { model } = await loadLlama(path, { kernels: 'exact', numerics: 'f32' });
      logits.push(await allLogits(model, [1, 299, 5, 260, 17]));
      await model.close();
    }
    expect(logits[0]).toEqual(logits[1]);
    expect((await openTokenizer(gguf)).vocabSize).toBe(300);
    await rm(folder, { recursive: true });
  });

  it.each(['q8_0', 'f16'] as const)(
    '7B as %s: the last tensor begins beyond 4 GiB and ends where the file does',
    async type => {
      const shape = SHAPES['7B'];
      const [metadata, tensors] = [
        llamaMetadata(shape, type),
        llamaTensors(shape, randomNumbers(), type),
      ];
      const { value } = await writeGguf(metadata, tensors).next();
      const header = Buffer.from(value as Uint8Array);
      const dimensions = header.lastIndexOf('output.weight') + 'output.weight'.length;
      const offset = Number(header.readBigUInt64LE(dimensions + 4 + 2 * 8 + 4));
      const bytes = ((32000 * 4096) / 32) * { q8_0: 34, f16: 64 }[type];
      expect(header.readBigUInt64LE(dimensions + 4)).toBe(4096n);
      expect(header.readBigUInt64LE(dimensions + 12)).toBe(32000n);
      expect(offset).toBeGreaterThan(2 ** 32);
      expect(offset + bytes).toBe(ggufDataBytes(metadata, tensors));
    },
  );

  it('7B takes 6,738,415,616 numbers', () => {
    const tensors = llamaTensors(SHAPES['7B'], randomNumbers(), 'f16');
    // norms are float32
    expect(ggufDataBytes(new Map(), tensors)).toBe(2 * 6_738_415_616 + 2 * 65 * 4096);
  });
});

describe('blocks', () => {
  const numbers = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * i) * (1 + (i >> 5)));

  it('q8_0: an f16 scale and 32 int8', () => {
    const bytes = encodeGgml('q8_0', numbers);
    const decoded = Float32Array.from({ length: 64 }, (_, i) => {
      const block = bytes.subarray((i >> 5) * 34);
      return decode('F16', block.slice(0, 2))[0] * ((block[2 + (i % 32)] << 24) >> 24);
    });
    expect(decoded).toEqual(asStored('q8_0', numbers));
  });

  it('q4_0: an f16 scale and 16 bytes, numbers i and i + 16 in the halves of byte i', () => {
    const bytes = encodeGgml('q4_0', numbers);
    const decoded = Float32Array.from({ length: 64 }, (_, i) => {
      const block = bytes.subarray((i >> 5) * 18);
      const pair = block[2 + (i % 16)];
      return decode('F16', block.slice(0, 2))[0] * ((i % 32 < 16 ? pair & 15 : pair >> 4) - 8);
    });
    expect(decoded).toEqual(asStored('q4_0', numbers));
  });

  it('random weights are f16 numbers: files of f32 and of f16 hold the same model', () => {
    const { matrix, vector } = randomNumbers();
    const wide = decode('F32', Buffer.concat([...matrix('m', 4096, 'f32')]));
    expect(decode('F16', Buffer.concat([...matrix('m', 4096, 'f16')]))).toEqual(wide);
    expect(decode('F16', encode('F16', vector('v', 64)))).toEqual(vector('v', 64));
  });
});

describe('writeOnce', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llama-32k-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['writes what is not there', undefined, 'headdata'],
    ['writes again what was cut short', 'headda', 'headdata'],
    ['leaves what has the right size', 'HEADDATA', 'HEADDATA'],
  ])('%s', async (_, before, after) => {
    const path = join(folder, 'file');
    if (before !== undefined) await writeFile(path, before);
    async function* pieces() {
      for (const text of ['head', 'da', 'ta']) yield Buffer.from(text);
    }
    await writeOnce(path, pieces(), 4);
    expect(await readFile(path, 'utf8')).toBe(after);
  });
});
