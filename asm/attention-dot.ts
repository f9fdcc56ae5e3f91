/**
 * The sums of attention over F32 and F16 numbers of the cache: of q · k for 16 positions, of p · v
 * for 16 numbers.
 *
 *   out[l] += Σ_j x[j] · n[j, l],   j = 0 … count − 1,   l = 0 … 15
 *
 * Numerics: float32, one running sum over j, then added to `out`.
 *
 * Four vectors of sums, no more: V8 loads all that a round of the loop needs before it computes, so
 * with eight of each one sum lives in memory, and a round takes as long as storing and loading it
 * again: 8192 products in 3100 cycles, where these take 2100.
 *
 * F16: shifted into a float32, the bits are the number times 2^−112. So `x` must come times 2^112,
 * which is less work than multiplying what comes from the cache, and gives the same products.
 * (Numbers below 2^−14 are then subnormal float32s, which are slow: a quarter slower if one in 400
 * is. Keys and values are not so small, and f16 numbers of all sizes can be stored.)
 */
import { F16, isF16 } from './cache-format';
import { HALF_FIELDS } from './half';
import { hold } from './hold';
import { STEP } from './key-value';

export const F16_SCALE: f32 = 5.192296858534828e33; // 2^112

export function dot16<T>(out: usize, x: usize, numbers: usize, count: usize): void {
  const fields = hold(HALF_FIELDS, <u32>count);
  const shift = hold(1 << 13, <u32>count);
  let a0 = f32x4.splat(0),
    a1 = a0,
    a2 = a0,
    a3 = a0;
  for (const end = x + (count << 2); x < end; x += 4) {
    const xj = v128.load32_splat(x);
    a0 = f32x4.add(a0, f32x4.mul(xj, four<T>(numbers, 0, shift, fields)));
    a1 = f32x4.add(a1, f32x4.mul(xj, four<T>(numbers, 1, shift, fields)));
    a2 = f32x4.add(a2, f32x4.mul(xj, four<T>(numbers, 2, shift, fields)));
    a3 = f32x4.add(a3, f32x4.mul(xj, four<T>(numbers, 3, shift, fields)));
    numbers += STEP * sizeof<T>();
  }
  add16(out, a0, a1, a2, a3);
}

/** The same for x and for y, loading every number once for both. */
export function dot16OfTwo<T>(
  outX: usize,
  outY: usize,
  x: usize,
  y: usize,
  numbers: usize,
  count: usize,
): void {
  const fields = hold(HALF_FIELDS, <u32>count);
  const shift = hold(1 << 13, <u32>count);
  let a0 = f32x4.splat(0),
    a1 = a0,
    a2 = a0,
    a3 = a0;
  let b0 = a0,
    b1 = a0,
    b2 = a0,
    b3 = a0;
  for (const end = x + (count << 2); x < end; x += 4) {
    const xj = v128.load32_splat(x);
    const yj = v128.load32_splat(y);
    const n0 = four<T>(numbers, 0, shift, fields);
    const n1 = four<T>(numbers, 1, shift, fields);
    const n2 = four<T>(numbers, 2, shift, fields);
    const n3 = four<T>(numbers, 3, shift, fields);
    a0 = f32x4.add(a0, f32x4.mul(xj, n0));
    b0 = f32x4.add(b0, f32x4.mul(yj, n0));
    a1 = f32x4.add(a1, f32x4.mul(xj, n1));
    b1 = f32x4.add(b1, f32x4.mul(yj, n1));
    a2 = f32x4.add(a2, f32x4.mul(xj, n2));
    b2 = f32x4.add(b2, f32x4.mul(yj, n2));
    a3 = f32x4.add(a3, f32x4.mul(xj, n3));
    b3 = f32x4.add(b3, f32x4.mul(yj, n3));
    y += 4;
    numbers += STEP * sizeof<T>();
  }
  add16(outX, a0, a1, a2, a3);
  add16(outY, b0, b1, b2, b3);
}

/** to = query · 2^112, `count` numbers. */
export function scaleQuery(to: usize, query: usize, count: usize): void {
  for (let i: usize = 0; i < count << 2; i += 4)
    store<f32>(to + i, load<f32>(query + i) * F16_SCALE);
}

/** `bytes` of F16: what lies as F16 does, then lies as F32. */
export function widen(to: usize, from: usize, bytes: usize): void {
  const fields = hold(HALF_FIELDS, <u32>bytes);
  const shift = hold(1 << 13, <u32>bytes);
  const scale = f32x4.splat(F16_SCALE);
  for (const end = from + bytes; from < end; from += 16) {
    v128.store(to, f32x4.mul(four<F16>(from, 0, shift, fields), scale));
    v128.store(to, f32x4.mul(four<F16>(from, 1, shift, fields), scale), 16);
    to += 32;
  }
}

/** The n-th four of the numbers at `pointer`; F16 times 2^−112. */
// @ts-ignore: decorator
@inline
function four<T>(pointer: usize, n: usize, shift: v128, fields: v128): v128 {
  if (!isF16<T>()) return v128.load(pointer + (n << 4));
  const halves = v128.load(pointer + ((n >> 1) << 4));
  // One product instead of two shifts: the lower half, with its sign, times 2^13.
  return v128.and(n & 1 ? i32x4.shr_s(halves, 3) : i32x4.dot_i16x8_s(halves, shift), fields);
}

// @ts-ignore: decorator
@inline
function add16(out: usize, a0: v128, a1: v128, a2: v128, a3: v128): void {
  v128.store(out, f32x4.add(v128.load(out), a0));
  v128.store(out, f32x4.add(v128.load(out, 16), a1), 16);
  v128.store(out, f32x4.add(v128.load(out, 32), a2), 32);
  v128.store(out, f32x4.add(v128.load(out, 48), a3), 48);
}
