/**
 * Q5_1: 32 numbers in 24 bytes, d · q + m with q = 0 … 31.
 *
 *     0   d  f16
 *     2   m  f16
 *     4   the fifth bits of q, and from 8 on the other four, as in Q5_0
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale, writeScale } from './block-format.js';
import { fifthBits, packFives } from './five-bits.js';
import { quantizeFromMinimum } from './nearest.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q5_1;
const HALF = NUMBERS / 2;
const MINIMUM = 2;
const FIFTHS = 4;
const QUANTS = 8;

export const q5_1: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode, encode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at);
    const m = readScale(blocks, at + MINIMUM);
    const fifths = fifthBits(blocks, at + FIFTHS);
    for (let i = 0; i < HALF; i++) {
      const pair = blocks[at + QUANTS + i];
      out[to + i] = d * ((pair & 15) | (((fifths >>> i) & 1) << 4)) + m;
      out[to + HALF + i] = d * ((pair >> 4) | (((fifths >>> (HALF + i)) & 1) << 4)) + m;
    }
  }
}

function encode(values: Float32Array, out: Uint8Array): void {
  const q = new Uint8Array(NUMBERS);
  for (let from = 0, at = 0; from < values.length; from += NUMBERS, at += BYTES) {
    const { scale, minimum } = quantizeFromMinimum(values, from, 31, q);
    writeScale(out, at, scale);
    writeScale(out, at + MINIMUM, minimum);
    packFives(q, out, at + FIFTHS);
  }
}
