/**
 * A linear layer whose weights are numbers of their own: f32, bf16 or f16 (`src/ops/matmul.ts`).
 *
 *   out[r, n] = Σ_k x[r, k] · W[n, k]
 *
 * Numerics: float32, the weights exactly as they are. Two products are added, then their sum to a
 * running sum, k = 0, 1, 2, …; after every 256 numbers the running sum is added to the total and a
 * new one begun. The same in every variant and for every format: weights widened to f32 give the
 * same bits. With f16 weights |x| must be below 2^26: `oneRow` multiplies it by 2^102, which is
 * less work than with all weights (`half.ts`). If m is odd, the number behind the row's last is
 * read too, and must be 0 (see README.md).
 *
 * Rows are taken four at a time with eight outputs: eight running sums fill the registers, and a
 * weight is loaded and widened once for four rows. If rows are not a multiple of four, the last are
 * computed more than once. A single row takes all 16 outputs of a tile, because it waits for the
 * memory.
 */
import { HALF_FIELDS, HALF_SCALE } from './half';
import { hold } from './hold';

const F32: i32 = 0;
const BF16: i32 = 1;
const F16: i32 = 2;

/** Bytes of x in a partial sum. */
const PARTIAL: usize = 256 << 2;

export function matmulF32(
  out: usize,
  outStride: u32,
  x: usize,
  xStride: u32,
  rows: u32,
  weights: usize,
  m: u32,
  firstTile: u32,
  endTile: u32,
): void {
  matmul(F32, out, outStride, x, xStride, rows, weights, m, firstTile, endTile);
}

export function matmulBF16(
  out: usize,
  outStride: u32,
  x: usize,
  xStride: u32,
  rows: u32,
  weights: usize,
  m: u32,
  firstTile: u32,
  endTile: u32,
): void {
  matmul(BF16, out, outStride, x, xStride, rows, weights, m, firstTile, endTile);
}

export function matmulF16(
  out: usize,
  outStride: u32,
  x: usize,
  xStride: u32,
  rows: u32,
  weights: usize,
  m: u32,
  firstTile: u32,
  endTile: u32,
): void {
  matmul(F16, out, outStride, x, xStride, rows, weights, m, firstTile, endTile);
}

// @ts-ignore: decorator
@inline
function matmul(
  format: i32,
  out: usize,
  outStride: u32,
  x: usize,
  xStride: u32,
  rows: u32,
  weights: usize,
  m: u32,
  firstTile: u32,
  endTile: u32,
): void {
  const last = <usize>rows - 1;
  const outBytes = (<usize>outStride) << 2;
  const xBytes = (<usize>xStride) << 2;
  const pairs = <usize>((m + 1) >> 1);
  const tileBytes = pairs * pairBytes(format);
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * tileBytes;
    const o = out + ((<usize>tile) << 6);
    if (rows == 1) {
      oneRow(format, o, x, pairs, w);
      continue;
    }
    for (let row: usize = 0; row < <usize>rows; row += 4) {
      const r1 = min(row + 1, last);
      const r2 = min(row + 2, last);
      const r3 = min(row + 3, last);
      const o0 = o + row * outBytes,
        o1 = o + r1 * outBytes,
        o2 = o + r2 * outBytes,
        o3 = o + r3 * outBytes;
      const x0 = x + row * xBytes,
        x1 = x + r1 * xBytes,
        x2 = x + r2 * xBytes,
        x3 = x + r3 * xBytes;
      for (let h: usize = 0; h < 64; h += 32)
        fourRows(format, o0 + h, o1 + h, o2 + h, o3 + h, x0, x1, x2, x3, pairs, w + h);
    }
  }
}

/** Bytes of a pair k, k + 1 of all 16 rows. */
// @ts-ignore: decorator
@inline
function pairBytes(format: i32): usize {
  return format == F32 ? 128 : 64;
}

/** The weights of k, of four rows; those of F16 times 2^−102. */
// @ts-ignore: decorator
@inline
function even(format: i32, pointer: usize, mask: v128, shift: v128): v128 {
  if (format == F32) return v128.load(pointer);
  if (format == BF16) return i32x4.shl(v128.load(pointer), 16);
  // One product instead of two shifts: the lower half, with its sign, times 2^13.
  return v128.and(i32x4.dot_i16x8_s(v128.load(pointer), shift), mask);
}

/** The weights of k + 1. */
// @ts-ignore: decorator
@inline
function odd(format: i32, pointer: usize, mask: v128): v128 {
  if (format == F32) return v128.load(pointer, 64);
  if (format == BF16) return v128.and(v128.load(pointer), mask);
  return v128.and(i32x4.shr_s(v128.load(pointer), 3), mask);
}

/** Bits of the odd weights of BF16, of all weights of F16. */
// @ts-ignore: decorator
@inline
function holdMask(format: i32, always: u32): v128 {
  return hold(format == F16 ? HALF_FIELDS : 0xffff0000, always);
}

// @ts-ignore: decorator
@inline
function oneRow(format: i32, out: usize, x: usize, pairs: usize, w: usize): void {
  const mask = holdMask(format, <u32>pairs);
  const scale = hold(HALF_SCALE, <u32>pairs);
  const shift = hold(1 << 13, <u32>pairs);
  const end = x + (pairs << 3);
  let t0 = f32x4.splat(0),
    t1 = t0,
    t2 = t0,
    t3 = t0;
  while (x < end) {
    const pause = min(x + PARTIAL, end);
    let s0 = f32x4.splat(0),
      s1 = s0,
      s2 = s0,
      s3 = s0;
    while (x < pause) {
      let xe = v128.load32_splat(x),
        xo = v128.load32_splat(x, 4);
      if (format == F16) {
        xe = f32x4.mul(xe, scale);
        xo = f32x4.mul(xo, scale);
      }
      s0 = f32x4.add(
        s0,
        f32x4.add(f32x4.mul(even(format, w, mask, shift), xe), f32x4.mul(odd(format, w, mask), xo)),
      );
      s1 = f32x4.add(
        s1,
        f32x4.add(
          f32x4.mul(even(format, w + 16, mask, shift), xe),
          f32x4.mul(odd(format, w + 16, mask), xo),
        ),
      );
      s2 = f32x4.add(
        s2,
        f32x4.add(
          f32x4.mul(even(format, w + 32, mask, shift), xe),
          f32x4.mul(odd(format, w + 32, mask), xo),
        ),
      );
      s3 = f32x4.add(
        s3,
        f32x4.add(
          f32x4.mul(even(format, w + 48, mask, shift), xe),
          f32x4.mul(odd(format, w + 48, mask), xo),
        ),
      );
      x += 8;
      w += pairBytes(format);
    }
    t0 = f32x4.add(t0, s0);
    t1 = f32x4.add(t1, s1);
    t2 = f32x4.add(t2, s2);
    t3 = f32x4.add(t3, s3);
  }
  v128.store(out, t0);
  v128.store(out, t1, 16);
  v128.store(out, t2, 32);
  v128.store(out, t3, 48);
}

/** Two groups. The totals lie in `out`: the registers are full. */
// @ts-ignore: decorator
@inline
function fourRows(
  format: i32,
  o0: usize,
  o1: usize,
  o2: usize,
  o3: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  pairs: usize,
  w: usize,
): void {
  const mask = holdMask(format, <u32>pairs);
  const scale = hold(HALF_SCALE, <u32>pairs);
  const shift = hold(1 << 13, <u32>pairs);
  const end = x0 + (pairs << 3);
  const zero = f32x4.splat(0);
  store(o0, zero, zero);
  store(o1, zero, zero);
  store(o2, zero, zero);
  store(o3, zero, zero);
  while (x0 < end) {
    const pause = min(x0 + PARTIAL, end);
    let a0 = zero,
      a1 = zero,
      a2 = zero,
      a3 = zero;
    let b0 = zero,
      b1 = zero,
      b2 = zero,
      b3 = zero;
    while (x0 < pause) {
      let ae = even(format, w, mask, shift),
        ao = odd(format, w, mask);
      let be = even(format, w + 16, mask, shift),
        bo = odd(format, w + 16, mask);
      if (format == F16) {
        ae = f32x4.mul(ae, scale);
        ao = f32x4.mul(ao, scale);
        be = f32x4.mul(be, scale);
        bo = f32x4.mul(bo, scale);
      }
      let xe = v128.load32_splat(x0),
        xo = v128.load32_splat(x0, 4);
      a0 = f32x4.add(a0, f32x4.add(f32x4.mul(ae, xe), f32x4.mul(ao, xo)));
      b0 = f32x4.add(b0, f32x4.add(f32x4.mul(be, xe), f32x4.mul(bo, xo)));
      xe = v128.load32_splat(x1);
      xo = v128.load32_splat(x1, 4);
      a1 = f32x4.add(a1, f32x4.add(f32x4.mul(ae, xe), f32x4.mul(ao, xo)));
      b1 = f32x4.add(b1, f32x4.add(f32x4.mul(be, xe), f32x4.mul(bo, xo)));
      xe = v128.load32_splat(x2);
      xo = v128.load32_splat(x2, 4);
      a2 = f32x4.add(a2, f32x4.add(f32x4.mul(ae, xe), f32x4.mul(ao, xo)));
      b2 = f32x4.add(b2, f32x4.add(f32x4.mul(be, xe), f32x4.mul(bo, xo)));
      xe = v128.load32_splat(x3);
      xo = v128.load32_splat(x3, 4);
      a3 = f32x4.add(a3, f32x4.add(f32x4.mul(ae, xe), f32x4.mul(ao, xo)));
      b3 = f32x4.add(b3, f32x4.add(f32x4.mul(be, xe), f32x4.mul(bo, xo)));
      x0 += 8;
      x1 += 8;
      x2 += 8;
      x3 += 8;
      w += pairBytes(format);
    }
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    a0 = f32x4.add(v128.load(o0), a0);
    b0 = f32x4.add(v128.load(o0, 16), b0);
    a1 = f32x4.add(v128.load(o1), a1);
    b1 = f32x4.add(v128.load(o1, 16), b1);
    a2 = f32x4.add(v128.load(o2), a2);
    b2 = f32x4.add(v128.load(o2, 16), b2);
    a3 = f32x4.add(v128.load(o3), a3);
    b3 = f32x4.add(v128.load(o3, 16), b3);
    store(o0, a0, b0);
    store(o1, a1, b1);
    store(o2, a2, b2);
    store(o3, a3, b3);
  }
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}
