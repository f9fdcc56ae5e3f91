/** Across the lanes of a vector. */

// @ts-ignore: decorator
@inline
export function laneSum(x: v128): f32 {
  const pairs = f32x4.add(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Of numbers that are not NaN. */
// @ts-ignore: decorator
@inline
export function laneMax(x: v128): f32 {
  const pairs = f32x4.pmax(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** Of unsigned integers. */
// @ts-ignore: decorator
@inline
export function laneLargest(x: v128): u32 {
  const pairs = i32x4.max_u(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  return i32x4.extract_lane(i32x4.max_u(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** Each of the first four of eight int16 twice, which is one instruction. */
// @ts-ignore: decorator
@inline
export function twiceLow(x: v128): v128 {
  return i16x8.shuffle(x, x, 0, 0, 1, 1, 2, 2, 3, 3);
}

/** … of the last four. */
// @ts-ignore: decorator
@inline
export function twiceHigh(x: v128): v128 {
  return i16x8.shuffle(x, x, 4, 4, 5, 5, 6, 6, 7, 7);
}
