import { describe, expect, it } from 'vitest';
import { attention, type HeadShape } from '../../src/ops/attention.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { largestDifference, noise } from '../support/tensors.js';

const { f64 } = ROUNDINGS;

function run(
  query: Float64Array,
  keys: Float64Array,
  values: Float64Array,
  count: number,
  shape: HeadShape,
) {
  const out = new Float64Array(query.length);
  const probabilities = new Float64Array(shape.numHeads * count);
  attention(out, query, { keys, values, count }, shape, probabilities, f64);
  return { out, probabilities };
}

/**
 * The definition with an explicit mask over the whole cache and repeated key-value heads: other
 * loops, another softmax.
 */
function masked(
  query: Float64Array,
  keys: Float64Array,
  values: Float64Array,
  total: number,
  visible: number,
  s: HeadShape,
) {
  const out = new Float64Array(query.length);
  const repeats = s.numHeads / s.numKeyValueHeads;
  const headOf = Array.from({ length: s.numKeyValueHeads }, (_, kv) =>
    new Array<number>(repeats).fill(kv),
  ).flat();
  for (let h = 0; h < s.numHeads; h++) {
    const at = (t: number, i: number) => (t * s.numKeyValueHeads + headOf[h]) * s.headDim + i;
    const scores = Array.from({ length: total }, (_, t) => {
      if (t >= visible) return -Infinity;
      let sum = 0;
      for (let i = s.headDim - 1; i >= 0; i--) sum += query[h * s.headDim + i] * keys[at(t, i)];
      return sum / Math.sqrt(s.headDim);
    });
    const top = Math.max(...scores);
    const weights = scores.map(v => Math.exp(v - top));
    const total_ = weights.reduce((a, b) => a + b, 0);
    for (let i = 0; i < s.headDim; i++) {
      out[h * s.headDim + i] = weights.reduce(
        (sum, w, t) => sum + (w === 0 ? 0 : (w / total_) * values[at(t, i)]),
        0,
      );
    }
  }
  return out;
}

describe('attention', () => {
  it.each([
    [6, 6, 22, 19],
    [6, 2, 22, 33],
    [4, 1, 3, 127],
    [1, 1, 1, 1],
    [8, 4, 8, 260],
  ])(
    'agrees with masked attention over repeated heads within 1e-13: H %i, K %i, d %i, T %i',
    (H, K, d, T) => {
      const shape = { numHeads: H, numKeyValueHeads: K, headDim: d };
      const query = noise(H * d, 1).map(v => v * 3);
      const keys = noise((T + 4) * K * d, 2).map(v => v * 3);
      const values = noise((T + 4) * K * d, 3);
      const { out, probabilities } = run(query, keys, values, T, shape);
      expect(largestDifference(out, masked(query, keys, values, T + 4, T, shape))).toBeLessThan(
        1e-13,
      );
      for (let h = 0; h < H; h++) {
        const sum = probabilities.subarray(h * T, (h + 1) * T).reduce((a, b) => a + b);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-13);
      }
    },
  );

  it('never reads beyond T: a NaN-poisoned rest of the cache changes nothing', () => {
    const shape = { numHeads: 4, numKeyValueHeads: 2, headDim: 3 };
    const [query, keys, values] = [noise(12, 1), noise(60, 2), noise(60, 3)];
    const clean = run(query, keys, values, 7, shape).out;
    const poison = (x: Float64Array) => x.map((v, i) => (i < 42 ? v : NaN));
    expect([...run(query, poison(keys), poison(values), 7, shape).out]).toEqual([...clean]);
  });

  it('finds one needle among 32,768 keys, and averages when all scores are −200', () => {
    const shape = { numHeads: 1, numKeyValueHeads: 1, headDim: 2 };
    const keys = new Float64Array(2 * 32768);
    const values = new Float64Array(2 * 32768).fill(1);
    keys[2 * 20011] = 100;
    values[2 * 20011] = 5;
    expect(run(Float64Array.of(1, 0), keys, values, 32768, shape).out[0]).toBeCloseTo(5, 12);
    const flat = new Float64Array(2 * 5).fill(-200 * Math.SQRT2);
    const some = Float64Array.of(1, 0, 2, 0, 3, 0, 4, 0, 5, 0);
    expect(run(Float64Array.of(1, 0), flat, some, 5, shape).out[0]).toBeCloseTo(3, 12);
  });

  it('scales by 1/√d: a head of 4 with q·k = 2 scores 1', () => {
    const shape = { numHeads: 1, numKeyValueHeads: 1, headDim: 4 };
    const keys = Float64Array.of(2, 0, 0, 0, 0, 0, 0, 0);
    const { probabilities } = run(Float64Array.of(1, 0, 0, 0), keys, new Float64Array(8), 2, shape);
    expect(probabilities[0] / probabilities[1]).toBeCloseTo(Math.E, 12);
  });
});
