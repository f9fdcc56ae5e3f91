/**
 * Q8_0: 32 numbers in 34 bytes, d · q with q = −128 … 127; llama.cpp writes −127 … 127.
 *
 *     0   d  f16
 *     2   q  int8[32]
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale, writeScale } from './block-format.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q8_0;
const QUANTS = 2;
const MOST = 127;

export const q8_0: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode, encode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  const q = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at);
    for (let i = 0; i < NUMBERS; i++) out[to + i] = d * q[at + QUANTS + i];
  }
}

/** To the nearest, ties away from zero; float32 throughout, as in ggml. */
function encode(values: Float32Array, out: Uint8Array): void {
  for (let from = 0, at = 0; from < values.length; from += NUMBERS, at += BYTES) {
    let largest = 0;
    // NaN stays
    for (let i = from; i < from + NUMBERS; i++) largest = Math.max(largest, Math.abs(values[i]));
    const d = Math.fround(largest / MOST);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    writeScale(out, at, d);
    for (let i = 0; i < NUMBERS; i++) {
      const scaled = Math.fround(values[from + i] * inverse);
      const size = Math.floor(Math.abs(scaled) + 0.5); // exact: float64 has room for the half
      out[at + QUANTS + i] = scaled < 0 ? -size : size;
    }
  }
}
