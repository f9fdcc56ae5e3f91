/**
 * The sums of attention over F32 and F16 numbers of the cache: of q · k for 16 positions, of p · v
 * for 16 numbers.
 *
 *   out[l] += Σ_j x[j] · n[j, l],   j = 0 … count − 1,   l = 0 … 15
 *
 * Numerics: float32, one running sum over j, then added to `out`.
 *
 * For four x at a time, which load every number once: with 256 bits (WIDE) all their sums are eight
 * vectors, as many as the registers hold, and as keep additions from waiting for each other; with
 * 128 bits it takes two passes.
 *
 * F16: shifted into a float32, the bits are the number times 2^−112. So `x` must come times 2^112,
 * which is less work than multiplying what comes from the cache, and gives the same products.
 * (Numbers below 2^−14 are then subnormal float32s, which are slow: a quarter slower if one in 400
 * is. Keys and values are not so small, and f16 numbers of all sizes can be stored.)
 */
import { F16, isF16 } from './cache-format';
import { HALF_FIELDS, LOW_HALF } from './half';
import { hold } from './hold';
import { STEP } from './key-value';
import { add64, quarter, store64 } from './lanes';

export const F16_SCALE: f32 = 5.192296858534828e33; // 2^112

export function dot16<T>(out: usize, x0: usize, numbers: usize, count: usize): void {
  const fields = hold(HALF_FIELDS, <u32>count);
  const shift = hold(LOW_HALF, <u32>count);
  let a0 = f32x4.splat(0),
    b0 = a0,
    c0 = a0,
    d0 = a0;
  for (const end = x0 + (count << 2); x0 < end; x0 += 4) {
    const p = four<T>(numbers, 0, shift, fields),
      q = four<T>(numbers, 1, shift, fields),
      r = four<T>(numbers, 2, shift, fields),
      s = four<T>(numbers, 3, shift, fields);
    let x = v128.load32_splat(x0);
    a0 = f32x4.add(a0, f32x4.mul(x, p));
    b0 = f32x4.add(b0, f32x4.mul(x, q));
    c0 = f32x4.add(c0, f32x4.mul(x, r));
    d0 = f32x4.add(d0, f32x4.mul(x, s));
    numbers += STEP * sizeof<T>();
  }
  add64(out, a0, b0, c0, d0);
}

/** The same for four x; what belongs to them lies `outBytes` apart. */
export function dot16OfFour<T>(
  out: usize,
  outBytes: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  numbers: usize,
  count: usize,
): void {
  if (isDefined(WIDE)) {
    wideDot<T>(out, outBytes, x0, x1, x2, x3, numbers, count);
    return;
  }
  // Those that F16 has side by side.
  narrowDot<T>(0, 2, out, outBytes, x0, x1, x2, x3, numbers, count);
  narrowDot<T>(1, 3, out, outBytes, x0, x1, x2, x3, numbers, count);
}

/** With 256 bits: their sums are eight vectors. */
function wideDot<T>(
  out: usize,
  outBytes: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  numbers: usize,
  count: usize,
): void {
  const fields = hold(HALF_FIELDS, <u32>count);
  const shift = hold(LOW_HALF, <u32>count);
  let a0 = f32x4.splat(0),
    b0 = a0,
    c0 = a0,
    d0 = a0;
  let a1 = f32x4.splat(0),
    b1 = a1,
    c1 = a1,
    d1 = a1;
  let a2 = f32x4.splat(0),
    b2 = a2,
    c2 = a2,
    d2 = a2;
  let a3 = f32x4.splat(0),
    b3 = a3,
    c3 = a3,
    d3 = a3;
  for (const end = x0 + (count << 2); x0 < end; x0 += 4) {
    const p = four<T>(numbers, 0, shift, fields),
      q = four<T>(numbers, 1, shift, fields),
      r = four<T>(numbers, 2, shift, fields),
      s = four<T>(numbers, 3, shift, fields);
    let x = v128.load32_splat(x0);
    a0 = f32x4.add(a0, f32x4.mul(x, p));
    b0 = f32x4.add(b0, f32x4.mul(x, q));
    c0 = f32x4.add(c0, f32x4.mul(x, r));
    d0 = f32x4.add(d0, f32x4.mul(x, s));
    x = v128.load32_splat(x1);
    a1 = f32x4.add(a1, f32x4.mul(x, p));
    b1 = f32x4.add(b1, f32x4.mul(x, q));
    c1 = f32x4.add(c1, f32x4.mul(x, r));
    d1 = f32x4.add(d1, f32x4.mul(x, s));
    x = v128.load32_splat(x2);
    a2 = f32x4.add(a2, f32x4.mul(x, p));
    b2 = f32x4.add(b2, f32x4.mul(x, q));
    c2 = f32x4.add(c2, f32x4.mul(x, r));
    d2 = f32x4.add(d2, f32x4.mul(x, s));
    x = v128.load32_splat(x3);
    a3 = f32x4.add(a3, f32x4.mul(x, p));
    b3 = f32x4.add(b3, f32x4.mul(x, q));
    c3 = f32x4.add(c3, f32x4.mul(x, r));
    d3 = f32x4.add(d3, f32x4.mul(x, s));
    x1 += 4;
    x2 += 4;
    x3 += 4;
    numbers += STEP * sizeof<T>();
  }
  add64(out, a0, b0, c0, d0);
  add64(out + outBytes, a1, b1, c1, d1);
  add64(out + 2 * outBytes, a2, b2, c2, d2);
  add64(out + 3 * outBytes, a3, b3, c3, d3);
}

/** With 128 bits: the same for a half of the 16, the m-th and the n-th four. */
// @ts-ignore: decorator
@inline
function narrowDot<T>(
  m: i32,
  n: i32,
  out: usize,
  outBytes: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  numbers: usize,
  count: usize,
): void {
  const fields = hold(HALF_FIELDS, <u32>count);
  const shift = hold(LOW_HALF, <u32>count);
  let a0 = f32x4.splat(0),
    b0 = a0;
  let a1 = f32x4.splat(0),
    b1 = a1;
  let a2 = f32x4.splat(0),
    b2 = a2;
  let a3 = f32x4.splat(0),
    b3 = a3;
  for (const end = x0 + (count << 2); x0 < end; x0 += 4) {
    const p = four<T>(numbers, m, shift, fields),
      q = four<T>(numbers, n, shift, fields);
    let x = v128.load32_splat(x0);
    a0 = f32x4.add(a0, f32x4.mul(x, p));
    b0 = f32x4.add(b0, f32x4.mul(x, q));
    x = v128.load32_splat(x1);
    a1 = f32x4.add(a1, f32x4.mul(x, p));
    b1 = f32x4.add(b1, f32x4.mul(x, q));
    x = v128.load32_splat(x2);
    a2 = f32x4.add(a2, f32x4.mul(x, p));
    b2 = f32x4.add(b2, f32x4.mul(x, q));
    x = v128.load32_splat(x3);
    a3 = f32x4.add(a3, f32x4.mul(x, p));
    b3 = f32x4.add(b3, f32x4.mul(x, q));
    x1 += 4;
    x2 += 4;
    x3 += 4;
    numbers += STEP * sizeof<T>();
  }
  addQuarter(out, m, a0);
  addQuarter(out, n, b0);
  addQuarter(out + outBytes, m, a1);
  addQuarter(out + outBytes, n, b1);
  addQuarter(out + 2 * outBytes, m, a2);
  addQuarter(out + 2 * outBytes, n, b2);
  addQuarter(out + 3 * outBytes, m, a3);
  addQuarter(out + 3 * outBytes, n, b3);
}

// @ts-ignore: decorator
@inline
function addQuarter(out: usize, n: usize, sum: v128): void {
  const at = out + (n << 4);
  v128.store(at, f32x4.add(v128.load(at), sum));
}

/** to = query · 2^112, `count` numbers. */
export function scaleQuery(to: usize, query: usize, count: usize): void {
  for (let i: usize = 0; i < count << 2; i += 4)
    store<f32>(to + i, load<f32>(query + i) * F16_SCALE);
}

/** `bytes` of F16, whole steps: what lies as F16 does, then lies as F32. */
export function widen(to: usize, from: usize, bytes: usize): void {
  const fields = hold(HALF_FIELDS, <u32>bytes);
  const shift = hold(LOW_HALF, <u32>bytes);
  const scale = hold(reinterpret<u32>(F16_SCALE), <u32>bytes);
  for (const end = from + bytes; from < end; from += STEP * sizeof<F16>()) {
    store64(
      to,
      f32x4.mul(four<F16>(from, 0, shift, fields), scale),
      f32x4.mul(four<F16>(from, 1, shift, fields), scale),
      f32x4.mul(four<F16>(from, 2, shift, fields), scale),
      f32x4.mul(four<F16>(from, 3, shift, fields), scale),
    );
    to += STEP * sizeof<f32>();
  }
}

/** The n-th four of the numbers at `pointer`; F16 times 2^−112. */
// @ts-ignore: decorator
@inline
function four<T>(pointer: usize, n: i32, shift: v128, fields: v128): v128 {
  if (!isF16<T>()) return quarter(pointer, n);
  const halves = quarter(pointer, n & 1);
  // One product instead of two shifts: the lower half, with its sign, times 2^13.
  return v128.and(n < 2 ? i32x4.dot_i16x8_s(halves, shift) : i32x4.shr_s(halves, 3), fields);
}
