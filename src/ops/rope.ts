/**
 * Rotary position embedding (Su et al., arXiv:2104.09864, eq. 34).
 *
 * The head's d numbers are d/2 points in the plane; point i turns by an angle proportional to the
 * position:
 *
 *   angle(p, i) = p · f[i],   f[i] = θ^(−2i/d),   i = 0 … d/2 − 1
 *   out[i]       = x[i] · cos − x[i + d/2] · sin
 *   out[i + d/2] = x[i + d/2] · cos + x[i] · sin
 *
 * For more positions than a model was trained on, its frequencies f are scaled: linearly in
 * Llama-2-7B-32K, by wavelength in Llama 3.1 (`rope-scaling/`).
 *
 * Halves, not pairs: Hugging Face's checkpoints store Wq and Wk permuted so that point i is (x[i],
 * x[i + d/2]). Meta's and GGUF's rotate (x[2i], x[2i+1]); mixing the two conventions up is the
 * classic porting error.
 *
 * Numerics: the angle is a float32 number in *every* mode, because that is what the model was
 * trained with: at position 32,767 it is up to 2·10⁻⁴ rad away from the real-number formula. Each
 * product and the sum are rounded (store).
 */
import type { Floats, Tensor } from '../base/tensor.js';
import { exp } from './exp.js';
import { log } from './log.js';
import { type RopeScaling, scaleFrequencies } from './rope-scaling/rope-scaling.js';
import type { Rounding } from './rounding.js';
import { cos, sin } from './sin-cos.js';

/**
 * The d/2 angles per position, in radians, as float32: θ^(−2i/d), scaled if the model's are.
 */
export function ropeFrequencies(
  headDim: number,
  theta: number,
  scaling?: RopeScaling,
): Float32Array {
  const frequencies = new Float32Array(headDim / 2); // [d/2]
  for (let i = 0; i < frequencies.length; i++) {
    const exponent = Math.fround((2 * i) / headDim);
    const power = Math.fround(exp(exponent * log(theta))); // θ^(2i/d)
    frequencies[i] = Math.fround(1 / power);
  }
  if (scaling !== undefined) scaleFrequencies(frequencies, scaling);
  return frequencies;
}

/** cosines [R, d/2] and sines [R, d/2] of the angles of each row's position. */
export function ropeTable(
  cosines: Tensor,
  sines: Tensor,
  positions: readonly number[],
  frequencies: Float32Array,
  { compute, store }: Rounding,
): void {
  const half = frequencies.length;
  for (let r = 0; r < positions.length; r++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(positions[r] * frequencies[i]);
      cosines.data[r * half + i] = store(compute(cos(angle)));
      sines.data[r * half + i] = store(compute(sin(angle)));
    }
  }
}

/** Rotates every head of every row of x [R, heads·d] in place; cosines and sines [R, d/2]. */
export function rope(x: Tensor, cosines: Tensor, sines: Tensor, { store }: Rounding): void {
  const [rows, width] = x.shape;
  const half = cosines.shape[1];
  for (let r = 0; r < rows; r++) {
    for (let head = r * width; head < (r + 1) * width; head += 2 * half) {
      rotateHead(x.data, head, cosines.data, sines.data, r * half, half, store);
    }
  }
}

function rotateHead(
  x: Floats,
  start: number,
  cosines: Floats,
  sines: Floats,
  tableStart: number,
  half: number,
  store: (x: number) => number,
): void {
  for (let i = 0; i < half; i++) {
    const c = cosines[tableStart + i];
    const s = sines[tableStart + i];
    const a = x[start + i];
    const b = x[start + half + i];
    x[start + i] = store(store(a * c) - store(b * s));
    x[start + half + i] = store(store(b * c) + store(a * s));
  }
}
