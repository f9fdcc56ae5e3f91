import { describe, expect, it } from 'vitest';
import { readRopeScaling, ropeFactors, ropeNotes } from '../../../src/files/gguf/rope.js';
import { openModelFiles } from '../../../src/load/model-files.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import { ropeFrequencies } from '../../../src/ops/rope.js';
import type { Llama3Scaling } from '../../../src/ops/rope-scaling/llama3.js';
import { goldenPath, readTensors } from '../../support/golden.js';

const ORIGINAL = 'llama.rope.scaling.original_context_length';

const llama3 = (factor: number, low = 1, high = 4, original = 8192): Llama3Scaling => ({
  type: 'llama3',
  ...{ factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositionEmbeddings: original },
});

/** As reference/make_gguf.py writes them, by the formula of llama.cpp's converter. */
async function converted(name: string): Promise<number[]> {
  return [...(await readTensors(`rope/${name}.safetensors`)).get('factors')!.data];
}

describe('factors of frequencies', () => {
  it.each([
    ['llama-3.1-8b', 128, llama3(8)],
    ['llama-3.2-1b', 64, llama3(32)],
  ])('of %s are known for what they are', async (name, headDim, expected) => {
    const factors = await converted(name);
    const frequencies = { headDim, ropeTheta: 500_000 };
    expect(readRopeScaling({}, frequencies, factors)).toEqual(expected);
    expect(readRopeScaling({ [ORIGINAL]: 131_072 }, frequencies, factors)).toEqual(expected);
    const theirs = (await readTensors(`rope/${name}.safetensors`)).get('inv_freq')?.data;
    expect(ropeFrequencies(headDim, 500_000, expected)).toEqual(theirs);
  });

  it('of another model stay as they are: frequencies within 2⁻²³, two roundings', async () => {
    const factors = await converted('awkward');
    const scaling = readRopeScaling({}, { headDim: 22, ropeTheta: 10_000 }, factors);
    expect(scaling).toEqual({ type: 'factors', factors });
    const frequencies = ropeFrequencies(22, 10_000, scaling);
    const theirs = (await readTensors('rope/awkward.safetensors')).get('inv_freq')?.data ?? [];
    for (const [i, frequency] of frequencies.entries())
      expect(Math.abs(frequency / theirs[i] - 1)).toBeLessThanOrEqual(2 ** -23);
  });

  it('of Llama 3.1 but for one, a 1,000th larger, are not taken for its own', async () => {
    const factors = await converted('llama-3.1-8b');
    for (const [i, factor] of factors.entries()) {
      const others = factors.with(i, factor * 1.001);
      const scaling = readRopeScaling({}, { headDim: 128, ropeTheta: 500_000 }, others);
      expect(scaling, `${i}`).toMatchObject({ type: 'factors' });
    }
  });

  it('of another base are not taken for its own', async () => {
    const factors = await converted('llama-3.1-8b');
    const scaling = readRopeScaling({}, { headDim: 128, ropeTheta: 10_000 }, factors);
    expect(scaling).toMatchObject({ type: 'factors' });
  });

  it('of 1 are none, beside linear interpolation, too', () => {
    const frequencies = { headDim: 4, ropeTheta: 10_000 };
    expect(readRopeScaling({}, frequencies, [1, 1])).toBeUndefined();
    const linear = { 'llama.rope.scaling.factor': 8 };
    expect(readRopeScaling(linear, frequencies, [1, 1])).toEqual({ type: 'linear', factor: 8 });
  });

  it('are refused beside linear interpolation', () => {
    const fields = { 'llama.rope.scaling.factor': 2 };
    expect(() => readRopeScaling(fields, { headDim: 4, ropeTheta: 10_000 }, [1, 8])).toThrow(
      'interpolation by 2 and rope_freqs.weight',
    );
  });
});

describe('a file that is written', () => {
  async function withScaling(ropeScaling: LlamaConfig['ropeScaling']): Promise<LlamaConfig> {
    const { config, checkpoint } = await openModelFiles(goldenPath('llama3'));
    await checkpoint.close();
    return { ...config, ropeScaling };
  }

  it('has the factors of llama.cpp’s converter, within 2⁻²² (their roundings)', async () => {
    for (const [name, headDim, ropeTheta, scaling] of [
      ['llama-3.1-8b', 128, 500_000, llama3(8)],
      ['llama-3.2-1b', 64, 500_000, llama3(32)],
      ['awkward', 22, 10_000, llama3(5.3, 1.5, 7, 200)],
    ] as const) {
      const theirs = await converted(name);
      const ours = ropeFactors({ ...(await withScaling(scaling)), headDim, ropeTheta })!;
      expect(ours).toHaveLength(theirs.length);
      for (const [i, factor] of ours.entries())
        expect(Math.abs(factor / theirs[i] - 1)).toBeLessThan(2 ** -22);
    }
  });

  it('has no factors for linear interpolation, or none', async () => {
    expect(ropeFactors(await withScaling({ type: 'linear', factor: 8 }))).toBeUndefined();
    expect(ropeFactors(await withScaling(undefined))).toBeUndefined();
  });

  it('is said to lose parameters if they cannot be found again', async () => {
    expect(ropeNotes(await withScaling(llama3(8, 1, 4, 64)))).toEqual([]);
    expect(ropeNotes(await withScaling(undefined))).toEqual([]);
    const [note] = ropeNotes(await withScaling(llama3(8, 1.5, 7, 64)));
    expect(note).toContain('a directory cannot be made of it again');
  });
});
