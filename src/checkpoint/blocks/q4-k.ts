/**
 * Q4_K: 256 numbers in 144 bytes, groups of 32: d · s · q − dmin · m with q = 0 … 15, s and m = 0 … 63.
 *
 *     0    d     f16
 *     2    dmin  f16
 *     4    s, m  12 bytes: see `six-bit-scales.ts`
 *     16   q     128 bytes: 32 for every two groups, the first in the low halves, the second in the high halves
 */
import { type BlockFormat, readScale } from './block-format.js';
import { readSixBits } from './six-bit-scales.js';

const NUMBERS = 256;
const GROUP = 32;
const GROUPS = 8;
const BYTES = 144;
const DMIN = 2;
const SCALES = 4;
const QUANTS = 16;

export const q4_k: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode };

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
