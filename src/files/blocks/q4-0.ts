/**
 * Q4_0: 32 numbers in 18 bytes, d · (q − 8) with q = 0 … 15.
 *
 *     0   d  f16
 *     2   q  16 bytes: byte i has number i in the low half and number i + 16 in the high half
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale, writeScale } from './block-format.js';
import { quantizeSigned } from './nearest.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q4_0;
const HALF = NUMBERS / 2;
const QUANTS = 2;

export const q4_0: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode, encode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at);
    for (let i = 0; i < HALF; i++) {
      const pair = blocks[at + QUANTS + i];
      out[to + i] = d * ((pair & 15) - 8);
      out[to + HALF + i] = d * ((pair >> 4) - 8);
    }
  }
}

function encode(values: Float32Array, out: Uint8Array): void {
  const q = new Uint8Array(NUMBERS);
  for (let from = 0, at = 0; from < values.length; from += NUMBERS, at += BYTES) {
    writeScale(out, at, quantizeSigned(values, from, 8, q));
    for (let i = 0; i < HALF; i++) out[at + QUANTS + i] = q[i] | (q[HALF + i] << 4);
  }
}
