/**
 * Q5_K: 256 numbers in 176 bytes, groups of 32: d · s · q − dmin · m with q = 0 … 31, s and m = 0 …
 * 63.
 *
 *     0    d     f16
 *     2    dmin  f16
 *     4    s, m  12 bytes: see `six-bit-scales.ts`
 *     16   the fifth bits of q: bit g of byte i is of number i of group g
 *     48   the other four bits, as in Q4_K
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale } from './block-format.js';
import { readSixBits } from './six-bit-scales.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q5_K;
const GROUP = 32;
const GROUPS = 8;
const DMIN = 2;
const SCALES = 4;
const FIFTHS = 16;
const QUANTS = 48;

export const q5_k: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode };

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
        const fifth = (blocks[at + FIFTHS + i] >> group) & 1;
        out[to + GROUP * group + i] =
          scale * (((blocks[from + i] >> shift) & 15) | (fifth << 4)) - minimum;
      }
    }
  }
}
