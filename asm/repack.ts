/**
 * Rows of llama.cpp's blocks into the tiles that the matmuls read (README.md). Nothing is rounded:
 * the same quants, scales and minima.
 *
 * Each function takes one tile: `count` (1 … 16) rows, `rowBytes` apart, of `blocks` blocks; the
 * other rows of the tile become 0. They return how many scales could not be stored (128 and more,
 * see `half.ts`): unless it is 0, the tile is worthless.
 *
 * Layouts of the blocks: ggml-common.h of llama.cpp.
 */
import { fromF16 } from './f16';
import { NIBBLES } from './small-weights';
import {
  BIAS,
  blockBytes,
  hasFifth,
  hasMinimum,
  Q2_K,
  Q3_K,
  Q4_0,
  Q4_1,
  Q4_K,
  Q5_0,
  Q5_1,
  Q5_K,
  Q6_K,
  Q8_0,
  quantBytes,
  quantsAt,
  scalesAt,
  superblockBytes,
} from './weight-format';

const HIGH: u32 = ~NIBBLES;

/** {f16 d, int8 q[32]}: x = d · q */
export function repackQ8(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  memory.fill(to, 0, <usize>blocks * blockBytes<Q8_0>());
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < 16; row++) {
    let from = rows + row * rowBytes;
    let block = to;
    for (let b: u32 = 0; b < blocks; b++) {
      const exists = row < <usize>count;
      for (let i: usize = 0; i < 32; i += 4)
        store<u32>(block + (i << 4) + (row << 2), (exists ? load<u32>(from + 2 + i) : 0) ^ BIAS);
      if (exists) unstorable += storeHalf(block + quantBytes<Q8_0>() + scaleAt(row), from);
      from += 34;
      block += blockBytes<Q8_0>();
    }
  }
  return unstorable;
}

/** Where a row's scale is among the 16 of a block: eight lanes of two. */
// @ts-ignore: decorator
@inline
function scaleAt(row: usize): usize {
  return ((row & 7) << 2) | ((row >> 3) << 1);
}

/** {f16 d, u8 q[16]}: low nibbles are numbers 0 … 15, high ones 16 … 31; x = d · (q − 8) */
export function repackQ4(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  return repackNibbles<Q4_0>(to, rows, rowBytes, blocks, count);
}

/** {f16 d, f16 m, u8 q[16]}: x = d · q + m */
export function repackQ41(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  return repackNibbles<Q4_1>(to, rows, rowBytes, blocks, count);
}

/** {f16 d, u32 fifth bits, u8 q[16]}: x = d · (q − 16) */
export function repackQ5(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  return repackNibbles<Q5_0>(to, rows, rowBytes, blocks, count);
}

/** {f16 d, f16 m, u32 fifth bits, u8 q[16]}: x = d · q + m */
export function repackQ51(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  return repackNibbles<Q5_1>(to, rows, rowBytes, blocks, count);
}

function repackNibbles<F>(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  memory.fill(to, 0, <usize>blocks * blockBytes<F>());
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to;
    for (let b: u32 = 0; b < blocks; b++) {
      let line = block + (row << 2);
      const scales = block + quantBytes<F>() + scaleAt(row);
      unstorable += storeHalf(scales, from);
      from += 2;
      if (hasMinimum<F>()) {
        unstorable += storeHalf(scales + 32, from);
        from += 2;
      }
      if (hasFifth<F>()) {
        store<u32>(line, byFours(load<u32>(from)));
        line += 64;
        from += 4;
      }
      storeNibbles(line, from);
      from += 16;
      block += blockBytes<F>();
    }
  }
  return unstorable;
}

/** 32 nibbles, those of numbers i and 16 + i in byte i, into the four lines of a block. */
// @ts-ignore: decorator
@inline
function storeNibbles(line: usize, q: usize): void {
  store<u32>(line, lowNibbles(q));
  store<u32>(line, lowNibbles(q + 8), 64);
  store<u32>(line, highNibbles(q), 128);
  store<u32>(line, highNibbles(q + 8), 192);
}

/** Bits of numbers k to where their lane is taken by fours: bit 4i + j to bit i of byte j. */
// @ts-ignore: decorator
@inline
function byFours(bits: u32): u32 {
  return (
    everyFourth(bits) |
    (everyFourth(bits >> 1) << 8) |
    (everyFourth(bits >> 2) << 16) |
    (everyFourth(bits >> 3) << 24)
  );
}

/** Bits 0, 4, 8 … as the lowest eight. */
// @ts-ignore: decorator
@inline
function everyFourth(bits: u32): u32 {
  bits &= 0x11111111;
  bits = (bits | (bits >> 3)) & 0x03030303;
  bits = (bits | (bits >> 6)) & 0x000f000f;
  return (bits | (bits >> 12)) & 0xff;
}

/** {u8 s | m << 4 [16], u8 q[64], f16 d, f16 d_min}: x = d · s · q − d_min · m. `blocks` of 256. */
export function repackQ2K(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  memory.fill(to, 0, <usize>blocks * superblockBytes<Q2_K>());
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to + (row << 2);
    for (let b: u32 = 0; b < blocks; b++) {
      unstorable += storeNumber(block, from + 80) + storeNumber(block + 64, from + 82);
      store<f32>(block, load<f32>(block, 64) / 32, 64);
      for (let i: usize = 0; i < 16; i++) {
        store<u8>(block + scalesAt<Q2_K>() + (i >> 2) * 64 + (i & 3), load<u8>(from + i));
        store<u32>(block + quantsAt<Q2_K>() + i * 64, twoBits(from + 16, i));
      }
      from += 84;
      block += superblockBytes<Q2_K>();
    }
  }
  return unstorable;
}

/** {u8 third bits[32], u8 q[64], u8 s[12], f16 d}: x = d · (s − 32) · (q − 4). `blocks` of 256. */
export function repackQ3K(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  memory.fill(to, 0, <usize>blocks * superblockBytes<Q3_K>());
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to + (row << 2);
    for (let b: u32 = 0; b < blocks; b++) {
      unstorable += storeNumber(block, from + 108);
      let line = block + quantsAt<Q3_K>();
      for (let i: usize = 0; i < 16; i++) {
        const s = thirdScale(from + 96, i) - 32;
        store<u8>(block + scalesAt<Q3_K>() + (i >> 2) * 64 + (i & 3), <u8>s);
        if (!(i & 1)) {
          store<u32>(line, byFours(bitsOf(from, <u64>(i >> 1))));
          line += 64;
        }
        store<u32>(line, twoBits(from + 32, i));
        line += 64;
      }
      from += 110;
      block += superblockBytes<Q3_K>();
    }
  }
  return unstorable;
}

/** s of part i: four bits of eight bytes' halves, two of four other bytes. */
// @ts-ignore: decorator
@inline
function thirdScale(scales: usize, i: usize): u32 {
  const lower = (<u32>load<u8>(scales + (i & 7)) >> <u32>((i >> 3) << 2)) & 15,
    upper = (<u32>load<u8>(scales + 8 + (i & 3)) >> <u32>((i >> 2) << 1)) & 3;
  return lower | (upper << 4);
}

/**
 * The 16 numbers of part i, of two bits: number 4n + j in bits 2n and 2n + 1 of byte j. Of each 128
 * numbers, the four quarters of 32 share their bytes.
 */
// @ts-ignore: decorator
@inline
function twoBits(quants: usize, i: usize): u32 {
  const q = quants + (i >> 3) * 32 + (i & 1) * 16,
    shift = <u32>(((i >> 1) & 3) << 1);
  return (
    fourOf(q, shift) |
    (fourOf(q + 4, shift) << 2) |
    (fourOf(q + 8, shift) << 4) |
    (fourOf(q + 12, shift) << 6)
  );
}

// @ts-ignore: decorator
@inline
function fourOf(q: usize, shift: u32): u32 {
  return (load<u32>(q) >> shift) & 0x03030303;
}

/** Bit `shift` of each of 32 bytes. */
// @ts-ignore: decorator
@inline
function bitsOf(bytes: usize, shift: u64): u32 {
  return (
    eightBits(bytes, shift) |
    (eightBits(bytes + 8, shift) << 8) |
    (eightBits(bytes + 16, shift) << 16) |
    (eightBits(bytes + 24, shift) << 24)
  );
}

/** The product has bit i of the sum at 56 + i, and nothing that is carried. */
// @ts-ignore: decorator
@inline
function eightBits(bytes: usize, shift: u64): u32 {
  const ones = (load<u64>(bytes) >> shift) & 0x0101010101010101;
  return <u32>((ones * 0x0102040810204080) >> 56);
}

/** {f16 d, f16 d_min, u8 scales[12], u8 q[128]}, x = d · s · q − d_min · m. `blocks` of 256. */
export function repackQ4K(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  return repackNibblesK<Q4_K>(to, rows, rowBytes, blocks, count);
}

/** The same with u8 fifth bits[32] before q: bit i of byte k is that of number k of part i. */
export function repackQ5K(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  return repackNibblesK<Q5_K>(to, rows, rowBytes, blocks, count);
}

function repackNibblesK<F>(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  memory.fill(to, 0, <usize>blocks * superblockBytes<F>());
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to + (row << 2);
    for (let b: u32 = 0; b < blocks; b++) {
      unstorable += storeNumber(block, from) + storeNumber(block + 64, from + 2);
      const quants = from + (hasFifth<F>() ? 48 : 16);
      let part = block + quantsAt<F>();
      for (let i: usize = 0; i < 8; i++) {
        if (hasFifth<F>()) {
          store<u32>(part, byFours(bitsOf(from + 16, i)));
          part += 64;
        }
        // 32 bytes hold two parts of 32 numbers: low nibbles the first, high nibbles the second.
        const q = quants + (i >> 1) * 32;
        for (let line: usize = 0; line < 4; line++) {
          store<u32>(part, i & 1 ? highNibbles(q + line * 8) : lowNibbles(q + line * 8));
          part += 64;
        }
        const scale = block + scalesAt<F>() + (i >> 2) * 64 + (i & 3);
        store<u8>(scale, sixBitScale(from + 4, i));
        store<u8>(scale + 128, sixBitMinimum(from + 4, i));
      }
      from = quants + 128;
      block += superblockBytes<F>();
    }
  }
  return unstorable;
}

/** {u8 lower[128], u8 upper[64], int8 scales[16], f16 d}: x = d · s · (q − 32). `blocks` of 256. */
export function repackQ6K(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  memory.fill(to, 0, <usize>blocks * superblockBytes<Q6_K>());
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to + (row << 2);
    for (let b: u32 = 0; b < blocks; b++) {
      unstorable += storeNumber(block, from + 208);
      for (let i: usize = 0; i < 16; i++) {
        store<u8>(block + scalesAt<Q6_K>() + (i >> 2) * 64 + (i & 3), load<u8>(from + 192 + i));
        const part = block + quantsAt<Q6_K>() + i * 192;
        const q3 = sixBits(from, i * 16 + 12);
        store<u32>(part, sixBits(from, i * 16) | ((q3 & 0x03030303) << 6));
        store<u32>(part + 64, sixBits(from, i * 16 + 4) | ((q3 & 0x0c0c0c0c) << 4));
        store<u32>(part + 128, sixBits(from, i * 16 + 8) | ((q3 & 0x30303030) << 2));
      }
      from += 210;
      block += superblockBytes<Q6_K>();
    }
  }
  return unstorable;
}

/** Low nibbles of 8 bytes, those of the last four in the upper half of each byte. */
// @ts-ignore: decorator
@inline
function lowNibbles(q: usize): u32 {
  return (load<u32>(q) & NIBBLES) | ((load<u32>(q, 4) & NIBBLES) << 4);
}

// @ts-ignore: decorator
@inline
function highNibbles(q: usize): u32 {
  return ((load<u32>(q) >> 4) & NIBBLES) | (load<u32>(q, 4) & HIGH);
}

/** s of part i: six bits, of which those of parts 4 … 7 are in two places. */
// @ts-ignore: decorator
@inline
function sixBitScale(scales: usize, i: usize): u8 {
  if (i < 4) return load<u8>(scales + i) & 63;
  return (load<u8>(scales + i + 4) & 15) | ((load<u8>(scales + i - 4) >> 6) << 4);
}

// @ts-ignore: decorator
@inline
function sixBitMinimum(scales: usize, i: usize): u8 {
  if (i < 4) return load<u8>(scales + i + 4) & 63;
  return (load<u8>(scales + i + 4) >> 4) | ((load<u8>(scales + i) >> 6) << 4);
}

/**
 * Numbers k … k + 3 of a Q6_K block, a byte each; k is a multiple of 4. Of each 128, the four
 * quarters of 32 share their bytes.
 */
// @ts-ignore: decorator
@inline
function sixBits(block: usize, k: usize): u32 {
  const half = k >> 7,
    quarter = (k >> 5) & 3,
    i = k & 31;
  const lower = load<u32>(block + half * 64 + (quarter & 1) * 32 + i) >> <u32>((quarter >> 1) << 2);
  const upper = load<u32>(block + 128 + half * 32 + i) >> <u32>(quarter << 1);
  return (lower & NIBBLES) | ((upper & 0x03030303) << 4);
}

/** An IEEE f16 as it is stored here (`half.ts`); 1 if it is too large for that. */
function storeHalf(to: usize, from: usize): u32 {
  const bits = <u32>load<u16>(from);
  const exponent = (bits >> 10) & 31;
  const sign = bits & 0x8000;
  let size = bits & 0x7fff;
  if (exponent > 21) return 1;
  if (exponent > 0) size += 10 << 10;
  else if (size > 0) {
    // A subnormal, 2^−24 · size: its highest bit becomes the implied one.
    const shift = clz(size) - 21;
    size = ((size << shift) & 1023) | ((11 - shift) << 10);
  }
  store<u16>(to, <u16>(sign | size));
  return 0;
}

/** An IEEE f16 as float32; 1 if it is not finite. */
function storeNumber(to: usize, from: usize): u32 {
  const number = f32x4.extract_lane(fromF16(i32x4.splat(load<u16>(from))), 0);
  store<f32>(to, number);
  return abs(number) < Infinity ? 0 : 1;
}
