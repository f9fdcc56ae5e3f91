/** Keys out of the pages in which they are cached: the layout of `asm/key-value.ts` in reverse. */
import { alignTo } from '../../../base/align.js';
import { f16ToF32 } from '../../../base/half.js';
import { PAGE_POSITIONS } from '../../../model/sequence.js';
import { BLOCK, blocksOfHead, type CacheFormat, headPageBytes, STEP } from './cache-formats.js';

export interface KeyShape {
  readonly format: CacheFormat;
  readonly numKeyValueHeads: number; // K
  readonly headDim: number; // d
}

/** Keys [count, K·d] of positions 0 … count − 1, from the pages at `pages` in `buffer`. */
export function readKeys(
  buffer: ArrayBufferLike,
  pages: readonly number[],
  count: number,
  { format, numKeyValueHeads, headDim }: KeyShape,
): Float32Array {
  const keys = new Float32Array(count * numKeyValueHeads * headDim);
  const readNumber = NUMBERS[format];
  const view = new DataView(buffer);
  const groupBytes = keyGroupBytes(format, headDim);
  let to = 0;
  for (let position = 0; position < count; position++) {
    const slot = position % PAGE_POSITIONS;
    const page = pages[Math.floor(position / PAGE_POSITIONS)];
    const group = page + Math.floor(slot / STEP) * groupBytes;
    for (let head = 0; head < numKeyValueHeads; head++) {
      const first = group + head * headPageBytes(format, headDim);
      for (let i = 0; i < headDim; i++)
        keys[to++] = readNumber(view, first, i, slot % STEP, headDim);
    }
  }
  return keys;
}

/** Of 16 keys of one head. */
function keyGroupBytes(format: CacheFormat, headDim: number): number {
  switch (format) {
    case 'f32':
      return STEP * headDim * 4;
    case 'f16':
      return STEP * headDim * 2;
    case 'q8':
      return STEP * (blocksOfHead(headDim) * 4 + alignTo(headDim, 4));
  }
}

/** Number i of the key in lane `lane` of the 16 at `first`. */
type ReadNumber = (
  view: DataView,
  first: number,
  i: number,
  lane: number,
  headDim: number,
) => number;

const NUMBERS: Readonly<Record<CacheFormat, ReadNumber>> = {
  f32: (view, first, i, lane) => view.getFloat32(first + (i * STEP + lane) * 4, true),
  f16: (view, first, i, lane) => {
    const interleaved = ((lane & 7) << 1) | (lane >> 3);
    return f16ToF32(view.getUint16(first + (i * STEP + interleaved) * 2, true));
  },
  q8: (view, first, i, lane, headDim) => {
    const scale = view.getFloat32(first + (Math.floor(i / BLOCK) * STEP + lane) * 4, true);
    const numbers = first + blocksOfHead(headDim) * STEP * 4;
    return scale * view.getInt8(numbers + (((i >> 2) * STEP + lane) * 4 + (i & 3)));
  },
};
