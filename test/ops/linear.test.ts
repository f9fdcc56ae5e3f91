import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add } from '../../src/ops/add.js';
import { embedding } from '../../src/ops/embedding.js';
import { matmul } from '../../src/ops/matmul.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { swiglu } from '../../src/ops/swiglu.js';
import { noise, tensor, zeros } from '../support/tensors.js';

const { f64, f32, bf16 } = ROUNDINGS;

describe('matmul', () => {
  const size = fc.constantFrom(1, 3, 5, 33, 127);

  it('is exact on integers, for every awkward size (BigInt as judge)', () => {
    fc.assert(
      fc.property(size, size, size, fc.integer(), (rows, outputs, inner, seed) => {
        const integers = (count: number, salt: number) =>
          noise(count, seed + salt).map(v => Math.round(v * 8));
        const x = tensor([rows, inner], integers(rows * inner, 1));
        const w = tensor([outputs, inner], integers(outputs * inner, 2));
        const out = zeros(rows, outputs);
        matmul(out, x, w, f32);
        for (let r = 0; r < rows; r++) {
          for (let n = 0; n < outputs; n++) {
            let sum = 0n;
            for (let m = 0; m < inner; m++)
              sum += BigInt(x.data[r * inner + m]) * BigInt(w.data[n * inner + m]);
            expect(out.data[r * outputs + n]).toBe(Number(sum));
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('gives a row the same bits alone and among others', () => {
    const x = tensor([5, 33], noise(165, 1));
    const w = tensor([7, 33], noise(231, 2));
    const all = zeros(5, 7);
    matmul(all, x, w, f64);
    for (let r = 0; r < 5; r++) {
      const one = zeros(1, 7);
      matmul(one, tensor([1, 33], x.data.subarray(r * 33, (r + 1) * 33)), w, f64);
      expect([...one.data]).toEqual([...all.data.subarray(r * 7, (r + 1) * 7)]);
    }
  });

  it('rounds a sum once: 1 + 2⁻⁸ + 2⁻⁹ is 1 + 2⁻⁷ in bf16, not 1, as one by one', () => {
    const out = zeros(1, 1);
    matmul(out, tensor([1, 3], [1, 2 ** -8, 2 ** -9]), tensor([1, 3], [1, 1, 1]), bf16);
    expect(out.data[0]).toBe(1 + 2 ** -7);
  });
});

describe('swiglu', () => {
  const gated = (gate: number, up: number, mode: keyof typeof ROUNDINGS = 'f64') => {
    const out = zeros(1, 1);
    swiglu(out, tensor([1, 1], [gate]), tensor([1, 1], [up]), ROUNDINGS[mode]);
    return out.data[0];
  };

  it('is gate·σ(gate)·up: silu on the gate alone', () => {
    for (const gate of [-20, -1.5, 0, 0.3, 7]) {
      expect(gated(gate, 3)).toBeCloseTo((3 * gate) / (1 + Math.exp(-gate)), 12);
    }
    expect(gated(2, -1)).toBeCloseTo(-1.7615941559557646, 12);
    expect(gated(-1, 2)).toBeCloseTo(-0.5378828427399902, 12);
  });

  it('has its limits without NaN at ±100, ±1e4 and ±1e30, in every mode that can hold them', () => {
    for (const mode of ['f64', 'f32', 'bf16'] as const) {
      expect([gated(1e4, 1, mode), gated(-1e4, 1, mode), gated(-1e30, 1, mode)]).toEqual([
        ROUNDINGS[mode].store(1e4),
        -0,
        -0,
      ]);
    }
    expect(gated(100, 1)).toBe(100);
    expect(gated(-100, 1)).toBeCloseTo(0, 40);
  });
});

describe('embedding and add', () => {
  it('copies the rows of the tokens, repeated ones too', () => {
    const out = zeros(3, 2);
    embedding(out, tensor([4, 2], [0, 1, 2, 3, 4, 5, 6, 7]), [3, 0, 3]);
    expect([...out.data]).toEqual([6, 7, 0, 1, 6, 7]);
  });

  it('adds and rounds once', () => {
    const x = tensor([1, 2], [1, -3]);
    add(x, x, tensor([1, 2], [2 ** -24, 5]), f32);
    expect([...x.data]).toEqual([1, 2]);
  });
});
