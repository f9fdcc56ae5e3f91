/** Blocks of formats that nothing here writes: random bytes, with scales as weights have them. */
import { toF16Bits } from '../../src/base/half.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import type { BlockDType } from '../../src/model/dtypes.js';
import { noise } from './tensors.js';

/** Their f16s, chosen so that numbers are some 0.04 from 0. */
const SCALES: Partial<Record<BlockDType, readonly (readonly [at: number, scale: number])[]>> = {
  Q2_K: [
    [80, 0.003],
    [82, 0.0045],
  ],
  Q3_K: [[108, 0.001]],
  Q5_K: [
    [0, 0.0001],
    [2, 0.00155],
  ],
};

/** `count` numbers, the same for the same `seed`. */
export function randomBlocks(dtype: BlockDType, count: number, seed: number): Uint8Array {
  const { bytes, numbers } = BLOCK_FORMATS[dtype];
  const random = noise((count / numbers) * bytes, seed);
  const blocks = Uint8Array.from(random, x => Math.floor((x + 1) * 128) & 255);
  const view = new DataView(blocks.buffer);
  for (let at = 0; at < blocks.length; at += bytes) {
    for (const [place, scale] of SCALES[dtype]!) {
      view.setUint16(at + place, toF16Bits(Math.fround(scale)), true);
    }
  }
  return blocks;
}
