import { describe, expect, it } from 'vitest';
import { dotFloat32, dotFloat64 } from '../../src/ops/dot.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';

/**
 * 1, then terms of which each alone is lost when added to 1 in float32, and which count only if
 * they are summed apart from it.
 */
const small = 2 ** -25;
const terms = (length: number) => Float32Array.from({ length }, (_, i) => (i === 0 ? 1 : small));
const ones = (length: number) => new Float32Array(length).fill(1);

describe('dot', () => {
  it('adds up in order in float64: nothing of this is lost', () => {
    expect(dotFloat64(terms(1001), 0, ones(1001), 0, 1001)).toBe(1 + 1000 * small);
  });

  it('in float32 begins a new sum after each block', () => {
    expect(dotFloat32(8)(terms(8), 0, ones(8), 0, 8)).toBe(1);
    expect(dotFloat32(8)(terms(16), 0, ones(16), 0, 16)).toBe(Math.fround(1 + 8 * small));
    expect(dotFloat32(8)(terms(24), 0, ones(24), 0, 24)).toBe(
      Math.fround(Math.fround(1 + 8 * small) + 8 * small),
    );
  });

  it.each([
    ['f32', 384],
    ['bf16', 1024],
    ['f16', 1024],
  ] as const)(
    '%s: the blocks have %i terms, as in the library that PyTorch calls',
    (mode, block) => {
      const { dot } = ROUNDINGS[mode];
      expect(dot(terms(block), 0, ones(block), 0, block)).toBe(1);
      expect(dot(terms(2 * block), 0, ones(2 * block), 0, 2 * block)).toBe(
        Math.fround(1 + block * small),
      );
    },
  );

  it('does not round the product: a fused multiply-add', () => {
    const x = 1 + 2 ** -23;
    expect(dotFloat32(384)(Float32Array.of(-1, x), 0, Float32Array.of(1, x), 0, 2)).toBe(
      Math.fround(x * x - 1),
    );
  });

  it('starts where it is told', () => {
    expect(dotFloat64(Float64Array.of(9, 2, 3), 1, Float64Array.of(5, 7, 11, 13), 2, 2)).toBe(
      2 * 11 + 3 * 13,
    );
  });
});
