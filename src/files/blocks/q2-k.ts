/**
 * Q2_K: 256 numbers in 84 bytes, groups of 16: d · s · q − dmin · m with q = 0 … 3, s and m = 0 …
 * 15.
 *
 *     0    s, m  16 bytes, one a group: s in the low half, m in the high half
 *     16   q     64 bytes: for each half of the block 32 bytes; bits 2j and 2j + 1 of byte i are
 *                of number 32·j + i of the half
 *     80   d     f16
 *     82   dmin  f16
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale } from './block-format.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q2_K;
const GROUP = 16;
const QUANTS = 16;
const D = 80;
const DMIN = 82;

export const q2_k: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at + D);
    const dmin = readScale(blocks, at + DMIN);
    for (let group = 0; group < NUMBERS / GROUP; group++) {
      const pair = blocks[at + group];
      const scale = d * (pair & 15);
      const minimum = dmin * (pair >> 4);
      const half = group >> 3;
      const shift = group & 6; // 2 · j, two groups having the same j
      const from = at + QUANTS + 32 * half + GROUP * (group & 1);
      for (let i = 0; i < GROUP; i++) {
        out[to + GROUP * group + i] = scale * ((blocks[from + i] >> shift) & 3) - minimum;
      }
    }
  }
}
