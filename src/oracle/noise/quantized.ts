/**
 * Numbers as the blocks of llama.cpp would hold them: of any length, and in float64, so that
 * whoever writes the same again gets the same.
 */
import { roundToF16 } from '../../base/half.js';
import type { Floats } from '../../base/tensor.js';

const BLOCK = 32;

/** Changes a block in place. */
export type Format = (block: Floats) => void;

/** A copy in blocks, which begin anew every `width` numbers; the last of those may be shorter. */
export function quantize(numbers: Floats, width: number, format: Format, size = BLOCK): Floats {
  const quantized = numbers.slice();
  for (let row = 0; row < quantized.length; row += width) {
    for (let start = row; start < row + width; start += size)
      format(quantized.subarray(start, Math.min(start + size, row + width)));
  }
  return quantized;
}

/** d · q with q = −127 … 127, ties away from zero, and d as `roundScale` keeps it. */
export const toEightBits =
  (roundScale: (x: number) => number): Format =>
  block => {
    const scale = Math.abs(extremeOf(block)) / 127;
    const kept = roundScale(scale);
    for (let i = 0; i < block.length; i++) {
      const size = Math.floor(Math.abs(block[i]) / scale + 0.5);
      block[i] = scale === 0 ? 0 : Math.sign(block[i]) * size * kept;
    }
  };

export const toQ8_0: Format = toEightBits(roundToF16);

/** d · (q − 8) with q = 0 … 15, of which 0 is the number that is farthest from zero. */
export const toQ4_0: Format = block => {
  const scale = extremeOf(block) / -8;
  const kept = roundToF16(scale);
  for (let i = 0; i < block.length; i++) {
    const q = Math.min(15, Math.trunc(block[i] / scale + 8.5));
    block[i] = scale === 0 ? 0 : (q - 8) * kept;
  }
};

/** The first of those that are farthest from zero. */
function extremeOf(block: Floats): number {
  let extreme = 0;
  for (const x of block) if (Math.abs(x) > Math.abs(extreme)) extreme = x;
  return extreme;
}
