/** Across the lanes of a vector. */

/** The first and the third of four bytes. */
export const EVEN: u32 = 0x00ff00ff;

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

/** Side by side, so that V8 can make two stores of 256 bits of them. */
// @ts-ignore: decorator
@inline
export function store64(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
}

/** Adds to 16 numbers. */
// @ts-ignore: decorator
@inline
export function add64(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  store64(
    to,
    f32x4.add(v128.load(to), a),
    f32x4.add(v128.load(to, 16), b),
    f32x4.add(v128.load(to, 32), c),
    f32x4.add(v128.load(to, 48), d),
  );
}

/**
 * The n-th of the four vectors of a line. (What is added to an address before loading would hide
 * from V8 that the four lie side by side.)
 */
// @ts-ignore: decorator
@inline
export function quarter(line: usize, n: i32): v128 {
  if (n == 0) return v128.load(line);
  if (n == 1) return v128.load(line, 16);
  return n == 2 ? v128.load(line, 32) : v128.load(line, 48);
}

/** Eight int16, of each four the even ones first. */
// @ts-ignore: decorator
@inline
export function evenFirst(x: v128): v128 {
  return i16x8.shuffle(x, x, 0, 2, 1, 3, 4, 6, 5, 7);
}
