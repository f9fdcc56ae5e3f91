/**
 * Q6_K: 256 numbers in 210 bytes, groups of 16: d · s · (q − 32) with q = 0 … 63, s = −128 … 127.
 *
 *     0    the low 4 bits of q: for each half of the block 64 bytes, number i of the half in the
 *          low half of byte i, number 64 + i in its high half
 *     128  the high 2 bits: for each half 32 bytes; bits 2j and 2j + 1 of byte i are of number
 *          32·j + i of the half
 *     192  s  int8[16]
 *     208  d  f16
 */
import { BLOCK_UNITS } from '../../model/dtypes.js';
import { type BlockFormat, readScale, writeScale } from './block-format.js';
import { fitSigned, roundWithin } from './least-squares.js';

const { numbers: NUMBERS, bytes: BYTES } = BLOCK_UNITS.Q6_K;
const GROUP = 16;
const GROUPS = 16;
const HIGHS = 128;
const SCALES = 192;
const D = 208;

/** By group: where the bits of its first number are in a block, and how far up in their bytes. */
const PLACES = Array.from({ length: GROUPS }, (_, group) => {
  const half = group >> 3;
  const inHalf = GROUP * (group & 7);
  return {
    lows: 64 * half + (inHalf & 63),
    lowShift: inHalf < 64 ? 0 : 4,
    highs: HIGHS + 32 * half + (inHalf & 31),
    highShift: 2 * (inHalf >> 5),
  };
});

export const q6_k: BlockFormat = { numbers: NUMBERS, bytes: BYTES, decode, encode };

function decode(blocks: Uint8Array, out: Float32Array): void {
  const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0, to = 0; at < blocks.length; at += BYTES, to += NUMBERS) {
    const d = readScale(blocks, at + D);
    for (let group = 0; group < GROUPS; group++) {
      const scale = d * signed[at + SCALES + group];
      const { lows, lowShift, highs, highShift } = PLACES[group];
      for (let i = 0; i < GROUP; i++) {
        const low = (blocks[at + lows + i] >> lowShift) & 15;
        const high = (blocks[at + highs + i] >> highShift) & 3;
        out[to + GROUP * group + i] = scale * ((low | (high << 4)) - 32);
      }
    }
  }
}

/** The scales of the groups by `fitSigned`; the largest becomes −128. */
function encode(values: Float32Array, out: Uint8Array): void {
  const x = new Float64Array(GROUP);
  const scales = new Float64Array(GROUPS);
  for (let from = 0, at = 0; from < values.length; from += NUMBERS, at += BYTES) {
    let extreme = 0;
    for (let group = 0; group < GROUPS; group++) {
      x.set(values.subarray(from + GROUP * group, from + GROUP * (group + 1)));
      scales[group] = fitSigned(x, 32);
      if (Math.abs(scales[group]) > Math.abs(extreme) || Number.isNaN(scales[group]))
        extreme = scales[group];
    }
    writeScale(out, at + D, extreme / -128);
    const d = readScale(out, at + D);
    out.fill(0, at, at + SCALES);
    for (let group = 0; group < GROUPS; group++) {
      const s = d === 0 ? 0 : roundWithin(scales[group] / d, -128, 127);
      out[at + SCALES + group] = s;
      const { lows, lowShift, highs, highShift } = PLACES[group];
      for (let i = 0; i < GROUP && s !== 0; i++) {
        const q = roundWithin(values[from + GROUP * group + i] / (d * s), -32, 31) + 32;
        out[at + lows + i] |= (q & 15) << lowShift;
        out[at + highs + i] |= (q >> 4) << highShift;
      }
    }
  }
}
