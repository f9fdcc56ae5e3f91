import { describe, expect, it } from 'vitest';
import { difference } from '../../bench/peers/differences.js';

describe('difference of logits', () => {
  it('is 0 between rows that are a constant apart: they are the same probabilities', () => {
    expect(difference([[1, 2, 6]], [[11, 12, 16]])).toEqual({ rms: 0, largest: 0, divergence: 0 });
  });

  it('is measured in standard deviations of each true row', () => {
    // σ is 2 and 20; the first row is off by half of it, the second by all of it.
    const rows = (first: number, second: number) => [first, second].map(x => [x, -x]);
    const { rms, largest } = difference(rows(3, 0), rows(2, 20));
    expect(largest).toBe(1);
    expect(rms).toBeCloseTo(Math.sqrt((0.25 + 1) / 2), 12);
  });

  it('has the divergence Σ p·log(p/q), p true, mean over rows', () => {
    const truth = [Math.log(0.5), Math.log(0.25), Math.log(0.25)];
    const other = [Math.log(0.125), Math.log(0.25), Math.log(0.625)];
    const expected = 0.5 * Math.log(4) + 0.25 * Math.log(0.4);
    expect(difference([other, truth], [truth, truth]).divergence).toBeCloseTo(expected / 2, 12);
  });

  it('keeps a divergence of 10^−16, as of float32 logits, to four digits', () => {
    const e = 1e-8;
    // p = (1/2, 1/2), q ∝ (e^e, e^−e): log cosh e = e²/2.
    expect(difference([[e, -e]], [[0, 0]]).divergence / ((e * e) / 2)).toBeCloseTo(1, 4);
  });
});
