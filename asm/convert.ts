/**
 * 16-bit numbers of a checkpoint on their way into tiles: as float32, or f16s as they are stored
 * (`half.ts`). All are exact.
 *
 * Eight numbers at a time: what is written ends with zeros up to a multiple of eight.
 */
import { hold } from './hold';
import { eightHalves } from './rows';

/** `count` IEEE f16s to float32. */
export function widenF16(to: usize, from: usize, count: u32): void {
  const exponents = hold(0x7c007c00, count),
    fields = hold(0x8fffe000, count),
    rebias = hold(112 << 23, count);
  for (let i: u32 = 0; i < count; i += 8) {
    const x = eightHalves(from, i, count, true, i + 8 <= count);
    const exponent = v128.and(x, exponents);
    // Zeros and subnormals have exponent field 0, Infinity and NaN 31: rare among weights.
    if (v128.any_true(v128.or(i16x8.eq(exponent, i16x8.splat(0)), i16x8.eq(exponent, exponents)))) {
      v128.store(to, widenLanes(i32x4.extend_low_i16x8_s(x)));
      v128.store(to, widenLanes(i32x4.extend_high_i16x8_s(x)), 16);
    } else {
      v128.store(
        to,
        i32x4.add(v128.and(i32x4.shl(i32x4.extend_low_i16x8_s(x), 13), fields), rebias),
      );
      v128.store(
        to,
        i32x4.add(v128.and(i32x4.shl(i32x4.extend_high_i16x8_s(x), 13), fields), rebias),
        16,
      );
    }
    to += 32;
  }
}

/** Four f16s of any kind, sign-extended. */
// @ts-ignore: decorator
@inline
function widenLanes(x: v128): v128 {
  const bits = i32x4.shl(x, 13);
  const sign = v128.and(bits, i32x4.splat(0x80000000));
  const fields = v128.and(bits, i32x4.splat(0x0fffe000));
  const normal = i32x4.add(fields, i32x4.splat(112 << 23));
  // 2^−37: fields are multiples of 2^13
  const subnormal = f32x4.mul(f32x4.convert_i32x4_s(fields), f32x4.splat(7.275957614183426e-12));
  const special = i32x4.add(normal, i32x4.splat(112 << 23)); // exponent 31 becomes 255
  const size = v128.bitselect(
    subnormal,
    v128.bitselect(special, normal, i32x4.ge_s(fields, i32x4.splat(31 << 23))),
    i32x4.lt_s(fields, i32x4.splat(1 << 23)),
  );
  return v128.or(size, sign);
}

/** `count` bf16s to float32. */
export function widenBF16(to: usize, from: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i += 8) {
    const x = eightHalves(from, i, count, true, i + 8 <= count);
    v128.store(to, i32x4.shl(i32x4.extend_low_i16x8_u(x), 16));
    v128.store(to, i32x4.shl(i32x4.extend_high_i16x8_u(x), 16), 16);
    to += 32;
  }
}

/**
 * `count` IEEE f16s as they are stored; returns how many cannot be: those of 128 and more,
 * Infinity, NaN.
 */
export function rebiasF16(to: usize, from: usize, count: u32): u32 {
  const sizes = hold(0x7fff7fff, count),
    limit = hold(0x57ff57ff, count);
  const leastNormal = hold(0x04000400, count),
    rebias = hold(0x28002800, count); // (25 − 15) << 10
  let unstorable: u32 = 0;
  for (let i: u32 = 0; i < count; i += 8) {
    const x = eightHalves(from, i, count, true, i + 8 <= count);
    const size = v128.and(x, sizes);
    const normal = i16x8.add(x, rebias);
    const isSubnormal = i16x8.lt_s(size, leastNormal);
    if (v128.any_true(isSubnormal)) {
      const subnormal = i16x8.narrow_i32x4_u(
        normalize(i32x4.extend_low_i16x8_s(size)),
        normalize(i32x4.extend_high_i16x8_s(size)),
      );
      v128.store(
        to,
        v128.bitselect(v128.or(subnormal, v128.andnot(x, sizes)), normal, isSubnormal),
      );
    } else v128.store(to, normal);
    unstorable += popcnt(i16x8.bitmask(i16x8.gt_s(size, limit)));
    to += 16;
  }
  return unstorable;
}

/**
 * The fraction f of a subnormal, which is 2^−24 · f, as it is stored: with a leading 1, unless it
 * is 0.
 */
// @ts-ignore: decorator
@inline
function normalize(f: v128): v128 {
  return i32x4.max_s(
    i32x4.sub(i32x4.shr_u(f32x4.convert_i32x4_s(f), 13), i32x4.splat(126 << 10)),
    i32x4.splat(0),
  );
}
