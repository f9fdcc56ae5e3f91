/**
 * Q4_K: 256 numbers in 144 bytes, groups of 32: d · s · q − dmin · m with q = 0 … 15, s and m = 0 …
 * 63.
 *
 *     0    d     f16
 *     2    dmin  f16
 *     4    s, m  12 bytes: see `six-bit-scales.ts`
 *     16   q     128 bytes: 32 for every two groups, the first in the low halves, the second in
 *                the high halves
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale, writeScale } from './block-format.js';
import { type AffineFit, fitAffine, roundWithin } from './least-squares.js';
import { readSixBits, writeSixBits } from './six-bit-scales.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q4_K;
const GROUP = 32;
const GROUPS = 8;
const DMIN = 2;
const SCALES = 4;
const QUANTS = 16;

export const q4_k: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode, encode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  const s = new Uint8Array(GROUPS);
  const m = new Uint8Array(GROUPS);
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at);
    const dmin = readScale(blocks, at + DMIN);
    readSixBits(blocks, at + SCALES, s, m);
    for (let group = 0; group < GROUPS; group++) {
      const scale = d * s[group];
      const minimum = dmin * m[group];
      const from = at + QUANTS + GROUP * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < GROUP; i++) {
        out[to + GROUP * group + i] = scale * ((blocks[from + i] >> shift) & 15) - minimum;
      }
    }
  }
}

/**
 * Numbers count for the more the larger they are: weights are |x|, plus their root mean square in
 * the group.
 */
function encode(values: Float32Array, out: Uint8Array): void {
  const x = new Float64Array(GROUP);
  const weights = new Float64Array(GROUP);
  const fits = Array.from({ length: GROUPS }, (): AffineFit => ({ scale: 0, minimum: 0 }));
  const s = new Uint8Array(GROUPS);
  const m = new Uint8Array(GROUPS);
  for (let from = 0, at = 0; from < values.length; from += NUMBERS, at += BYTES) {
    for (let group = 0; group < GROUPS; group++) {
      x.set(values.subarray(from + GROUP * group, from + GROUP * (group + 1)));
      weigh(x, weights);
      fitAffine(x, weights, 15, fits[group]);
    }
    writeScale(out, at, Math.max(...fits.map(({ scale }) => scale)) / 63);
    writeScale(out, at + DMIN, Math.max(...fits.map(({ minimum }) => minimum)) / 63);
    const d = readScale(out, at);
    const dmin = readScale(out, at + DMIN);
    for (let group = 0; group < GROUPS; group++) {
      s[group] = d === 0 ? 0 : roundWithin(fits[group].scale / d, 0, 63);
      m[group] = dmin === 0 ? 0 : roundWithin(fits[group].minimum / dmin, 0, 63);
    }
    writeSixBits(s, m, out, at + SCALES);
    out.fill(0, at + QUANTS, at + BYTES);
    for (let group = 0; group < GROUPS; group++) {
      if (s[group] === 0) continue;
      const scale = d * s[group];
      const minimum = dmin * m[group];
      const to = at + QUANTS + GROUP * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < GROUP; i++) {
        const q = roundWithin((values[from + GROUP * group + i] + minimum) / scale, 0, 15);
        out[to + i] |= q << shift;
      }
    }
  }
}

function weigh(x: Float64Array, weights: Float64Array): void {
  let squares = 0;
  for (let i = 0; i < GROUP; i++) squares += x[i] * x[i];
  const mean = Math.sqrt(squares / GROUP);
  for (let i = 0; i < GROUP; i++) weights[i] = mean + Math.abs(x[i]);
}
