/**
 * Q4_1: 32 numbers in 20 bytes, d · q + m with q = 0 … 15.
 *
 *     0   d  f16
 *     2   m  f16
 *     4   q  as in Q4_0
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale, writeScale } from './block-format.js';
import { quantizeFromMinimum } from './nearest.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q4_1;
const HALF = NUMBERS / 2;
const MINIMUM = 2;
const QUANTS = 4;

export const q4_1: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode, encode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at);
    const m = readScale(blocks, at + MINIMUM);
    for (let i = 0; i < HALF; i++) {
      const pair = blocks[at + QUANTS + i];
      out[to + i] = d * (pair & 15) + m;
      out[to + HALF + i] = d * (pair >> 4) + m;
    }
  }
}

function encode(values: Float32Array, out: Uint8Array): void {
  const q = new Uint8Array(NUMBERS);
  for (let from = 0, at = 0; from < values.length; from += NUMBERS, at += BYTES) {
    const { scale, minimum } = quantizeFromMinimum(values, from, 15, q);
    writeScale(out, at, scale);
    writeScale(out, at + MINIMUM, minimum);
    for (let i = 0; i < HALF; i++) out[at + QUANTS + i] = q[i] | (q[HALF + i] << 4);
  }
}
