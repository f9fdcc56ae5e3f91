/** Activations of 8 bits: what kernels of quantized weights multiply with. */
import type { Tensor } from '../../base/tensor.js';

const MOST = 127;

/**
 * A copy of x [R, M] in which each `block` numbers of a row, the last of which may be fewer, are
 * integers of 8 bits times a scale, which `roundScale` rounds.
 */
export function toEightBits(
  { shape, data }: Tensor,
  block: number,
  roundScale: (x: number) => number,
): Tensor {
  const width = shape[shape.length - 1];
  const rounded = new Float64Array(data.length);
  for (let row = 0; row < data.length; row += width) {
    for (let start = row; start < row + width; start += block) {
      const end = Math.min(start + block, row + width);
      let largest = 0;
      for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(data[i]));
      const scale = Math.fround(largest / MOST);
      const kept = roundScale(scale);
      for (let i = start; i < end; i++)
        rounded[i] = scale === 0 ? 0 : Math.round(data[i] / scale) * kept;
    }
  }
  return { shape, data: rounded };
}
