/**
 * Scales for a group of numbers that is to be quantized, so that a weighted sum of squared errors
 * is small: what the K formats need, and llama.cpp does in make_qkx2_quants and make_qx_quants
 * (ggml-quants.c); here in float64.
 *
 * With the integers q given, the best scale and minimum are a linear regression. With these given,
 * the best q are the nearest integers. Which q come out first depends on the step one begins with;
 * so several are tried, around the one that just spans the numbers.
 */

/**
 * By how much the range of the integers is stretched or shrunk: not at all first, so that numbers
 * that fit stay what they are.
 */
const STRETCHES = [0, ...tenths(-10), ...tenths(1)];
/** A later try must be better by more than float64 rounds. */
const NOISE = 1e-12;

/** x ≈ scale · q − minimum. */
export interface AffineFit {
  scale: number;
  minimum: number;
}

/**
 * Finds scale and minimum, neither below 0, for x ≈ scale · q − minimum with q = 0 … most; one
 * weight for each number. Each try rounds from the best minimum so far, which may be far above the
 * lowest number if only few are as low.
 */
export function fitAffine(
  x: Float64Array,
  weights: Float64Array,
  most: number,
  fit: AffineFit,
): void {
  let lowest = 0;
  let highest = x[0];
  let w = 0;
  let wx = 0;
  let wxx = 0;
  for (let i = 0; i < x.length; i++) {
    lowest = Math.min(lowest, x[i]);
    highest = Math.max(highest, x[i]);
    w += weights[i];
    wx += weights[i] * x[i];
    wxx += weights[i] * x[i] * x[i];
  }
  fit.scale = (highest - lowest) / most; // of infinities too, which the caller then sees
  fit.minimum = -lowest;
  if (highest === lowest) return;
  let leastError = Infinity;
  for (const stretch of STRETCHES) {
    const start = -fit.minimum;
    const perStep = (most + stretch) / (highest - start);
    let wq = 0;
    let wqq = 0;
    let wxq = 0;
    for (let i = 0; i < x.length; i++) {
      const q = roundWithin(perStep * (x[i] - start), 0, most);
      const weighted = weights[i] * q;
      wq += weighted;
      wqq += weighted * q;
      wxq += weighted * x[i];
    }
    const determinant = w * wqq - wq * wq;
    if (!(determinant > 0)) continue;
    let scale = (w * wxq - wx * wq) / determinant;
    let minimum = (wq * wxq - wqq * wx) / determinant;
    if (minimum < 0) {
      minimum = 0;
      scale = wxq / wqq;
    }
    // Σ w (scale · q − minimum − x)², multiplied out
    const error =
      scale * (scale * wqq - 2 * minimum * wq - 2 * wxq) + minimum * (minimum * w + 2 * wx) + wxx;
    if (error < leastError - NOISE * wxx) {
      leastError = error;
      fit.scale = scale;
      fit.minimum = minimum;
    }
  }
}

/**
 * The scale for x ≈ scale · q with q = −half … half − 1. The largest numbers count most: weights
 * are x². Its sign is such that the largest in size gets the q that is furthest from zero.
 */
export function fitSigned(x: Float64Array, half: number): number {
  let extreme = 0;
  for (let i = 0; i < x.length; i++) {
    if (Math.abs(x[i]) > Math.abs(extreme) || Number.isNaN(x[i])) extreme = x[i];
  }
  if (extreme === 0) return 0;
  let best = extreme / -half;
  let mostExplained = 0;
  for (const stretch of STRETCHES) {
    const perStep = -(half + stretch) / extreme;
    let wxq = 0;
    let wqq = 0;
    for (let i = 0; i < x.length; i++) {
      const q = roundWithin(perStep * x[i], -half, half - 1);
      const weighted = x[i] * x[i] * q;
      wxq += weighted * x[i];
      wqq += weighted * q;
    }
    const explained = (wxq * wxq) / wqq; // of Σ w x²; what is left is the error
    if (explained > mostExplained * (1 + NOISE)) {
      mostExplained = explained;
      best = wxq / wqq;
    }
  }
  return best;
}

/** Ten numbers, a tenth apart. */
function tenths(first: number): number[] {
  return Array.from({ length: 10 }, (_, i) => (first + i) / 10);
}

/** The nearest integer from `least` to `most`. Math.round and Math.min take five times as long. */
export function roundWithin(x: number, least: number, most: number): number {
  const rounded = (x + (x < 0 ? -0.5 : 0.5)) | 0;
  return rounded < least ? least : rounded > most ? most : rounded;
}
