import { describe, expect, it } from 'vitest';
import { fitLine } from '../../bench/line.js';

describe('line of least squares', () => {
  it('is the line itself where all points lie on one', () => {
    const { start, slope, explained, worst } = fitLine(
      [1, 2, 5, 9].map(x => ({ x, y: 3 + 0.5 * x })),
    );
    expect([start, slope, explained, worst].map(x => Number(x.toFixed(12)))).toEqual([
      3, 0.5, 1, 0,
    ]);
  });

  it("has the first of Anscombe's data sets: 3.00 + 0.500 x, R² = 0.67", () => {
    const xs = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    const ys = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    const { start, slope, explained, worst } = fitLine(xs.map((x, i) => ({ x, y: ys[i] })));
    expect(start).toBeCloseTo(3.0, 2);
    expect(slope).toBeCloseTo(0.5, 3);
    expect(explained).toBeCloseTo(0.67, 2);
    expect(worst).toBeCloseTo((6.5 - 4.82) / 6.5, 2); // at x = 7
  });
});
