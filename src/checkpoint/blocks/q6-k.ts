/**
 * Q6_K: 256 numbers in 210 bytes, groups of 16: d · s · (q − 32) with q = 0 … 63, s = −128 … 127.
 *
 *     0    the low 4 bits of q: for each half of the block 64 bytes, number i of the half in the low half of byte i, number 64 + i
 *          in its high half
 *     128  the high 2 bits: for each half 32 bytes; bits 2j and 2j + 1 of byte i are of number 32·j + i of the half
 *     192  s  int8[16]
 *     208  d  f16
 */
import { type BlockFormat, readScale } from './block-format.js';

const NUMBERS = 256;
const GROUP = 16;
const GROUPS = 16;
const BYTES = 210;
const HIGHS = 128;
const SCALES = 192;
const D = 208;

export const q6_k: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at + D);
    for (let group = 0; group < GROUPS; group++) {
      const scale = d * signed[at + SCALES + group];
      const half = group >> 3;
      const inHalf = GROUP * (group & 7);
      const lows = at + 64 * half + (inHalf & 63);
      const lowShift = inHalf < 64 ? 0 : 4;
      const highs = at + HIGHS + 32 * half + (inHalf & 31);
      const highShift = 2 * (inHalf >> 5);
      for (let i = 0; i < GROUP; i++) {
        const low = (blocks[lows + i] >> lowShift) & 15;
        const high = (blocks[highs + i] >> highShift) & 3;
        out[to + GROUP * group + i] = scale * ((low | (high << 4)) - 32);
      }
    }
  }
}
