/**
 * Q3_K: 256 numbers in 110 bytes, groups of 16: d · (s − 32) · q with q = −4 … 3, s = 0 … 63.
 *
 *     0    the third bits of q + 4: bit k of byte i is of number 32·k + i
 *     32   the other two bits: as in Q2_K
 *     96   s  12 bytes: the low halves of the first 8 hold the low bits of s[0 … 7], their high
 *             halves those of s[8 … 15]; bits 2k and 2k + 1 of byte 8 + i are the high bits of
 *             s[4·k + i]
 *     108  d  f16
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale } from './block-format.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q3_K;
const GROUP = 16;
const QUANTS = 32;
const SCALES = 96;
const D = 108;

export const q3_k: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at + D);
    for (let group = 0; group < NUMBERS / GROUP; group++) {
      const scale = d * (groupScale(blocks, at + SCALES, group) - 32);
      const half = group >> 3;
      const shift = group & 6; // 2 · j, two groups having the same j
      const first = GROUP * (group & 1);
      const from = at + QUANTS + 32 * half + first;
      for (let i = 0; i < GROUP; i++) {
        const third = (blocks[at + first + i] >> (group >> 1)) & 1;
        out[to + GROUP * group + i] = scale * (((blocks[from + i] >> shift) & 3) + 4 * third - 4);
      }
    }
  }
}

function groupScale(blocks: Uint8Array, at: number, group: number): number {
  const low = (blocks[at + (group & 7)] >> (group < 8 ? 0 : 4)) & 15;
  const high = (blocks[at + 8 + (group & 3)] >> (2 * (group >> 2))) & 3;
  return low | (high << 4);
}
