/**
 * A few numbers as integers of −limit … limit times one scale.
 *
 *   scale = max|x| / limit,   q = x · (limit / max|x|) to the nearest integer, ties to even
 *
 * Numbers below 2^−100, for which limit / max|x| may not be finite, count as 0. If one is Infinity
 * or NaN, so is the scale, and every product with it is NaN: q is then 0.
 */
const SMALLEST: f32 = 7.888609052210118e-31; // 2^−100

/** max|x| of `count` numbers. */
export function largestSize(x: usize, count: usize): f32 {
  let most: f32 = 0;
  for (const end = x + (count << 2); x < end; x += 4) most = max<f32>(most, abs<f32>(load<f32>(x)));
  return most;
}

// @ts-ignore: decorator
@inline
export function scaleOf(largest: f32, limit: f32): f32 {
  return largest < SMALLEST ? 0 : largest / limit;
}

/** What turns a number into its integer. */
// @ts-ignore: decorator
@inline
export function inverseOf(largest: f32, limit: f32): f32 {
  return largest < SMALLEST ? 0 : limit / largest;
}

// @ts-ignore: decorator
@inline
export function toInteger(x: f32, inverse: f32): i32 {
  return <i32>nearest<f32>(x * inverse); // of NaN: 0
}
