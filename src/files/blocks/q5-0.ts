/**
 * Q5_0: 32 numbers in 22 bytes, d · (q − 16) with q = 0 … 31.
 *
 *     0   d  f16
 *     2   the fifth bits of q: bit i of 32 is that of number i
 *     6   the other four bits, as in Q4_0
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale, writeScale } from './block-format.js';
import { fifthBits, packFives } from './five-bits.js';
import { quantizeSigned } from './nearest.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q5_0;
const HALF = NUMBERS / 2;
const FIFTHS = 2;
const QUANTS = 6;

export const q5_0: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode, encode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at);
    const fifths = fifthBits(blocks, at + FIFTHS);
    for (let i = 0; i < HALF; i++) {
      const pair = blocks[at + QUANTS + i];
      out[to + i] = d * (((pair & 15) | (((fifths >>> i) & 1) << 4)) - 16);
      out[to + HALF + i] = d * (((pair >> 4) | (((fifths >>> (HALF + i)) & 1) << 4)) - 16);
    }
  }
}

function encode(values: Float32Array, out: Uint8Array): void {
  const q = new Uint8Array(NUMBERS);
  for (let from = 0, at = 0; from < values.length; from += NUMBERS, at += BYTES) {
    writeScale(out, at, quantizeSigned(values, from, 16, q));
    packFives(q, out, at + FIFTHS);
  }
}
