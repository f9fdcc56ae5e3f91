/**
 * Quantizing 32 numbers to the nearest integers, as llama.cpp does for its first formats
 * (quantize_row_q4_0_ref and its siblings): float32 throughout, each operation rounded, so that the
 * bytes are the same as theirs.
 */

const NUMBERS = 32;

/**
 * x ≈ scale · (q − half), q = 0 … 2·half − 1, for Q4_0 and Q5_0. The largest in size becomes q = 0,
 * which is further from zero than any other: hence the scale has the opposite sign.
 *
 * @returns the scale
 */
export function quantizeSigned(x: Float32Array, from: number, half: number, q: Uint8Array): number {
  let extreme = x[from];
  for (let i = from + 1; i < from + NUMBERS; i++) {
    if (Math.abs(x[i]) > Math.abs(extreme) || Number.isNaN(x[i])) extreme = x[i];
  }
  const scale = Math.fround(extreme / -half);
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
  const offset = half + 0.5;
  for (let i = 0; i < NUMBERS; i++) {
    q[i] = Math.min(2 * half - 1, Math.fround(Math.fround(x[from + i] * inverse) + offset));
  }
  return scale;
}

/** x ≈ scale · q + minimum, q = 0 … most, for Q4_1 and Q5_1. */
export function quantizeFromMinimum(
  x: Float32Array,
  from: number,
  most: number,
  q: Uint8Array,
): { scale: number; minimum: number } {
  let minimum = x[from];
  let maximum = x[from];
  for (let i = from + 1; i < from + NUMBERS; i++) {
    minimum = Math.min(minimum, x[i]);
    maximum = Math.max(maximum, x[i]);
  }
  const scale = Math.fround(Math.fround(maximum - minimum) / most);
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
  for (let i = 0; i < NUMBERS; i++) {
    const above = Math.fround(x[from + i] - minimum);
    q[i] = Math.min(most, Math.fround(Math.fround(above * inverse) + 0.5));
  }
  return { scale, minimum };
}
