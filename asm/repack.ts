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
import { BIAS } from './four-rows';

const LOW: u32 = 0x0f0f0f0f;
const HIGH: u32 = 0xf0f0f0f0;

/** {f16 d, int8 q[32]}: x = d · q */
export function repackQ8(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  const tileBlock: usize = 34 * 16;
  memory.fill(to, 0, <usize>blocks * tileBlock);
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < 16; row++) {
    let from = rows + row * rowBytes;
    let block = to;
    for (let b: u32 = 0; b < blocks; b++) {
      const exists = row < <usize>count;
      for (let i: usize = 0; i < 32; i += 4)
        store<u32>(block + (i << 4) + (row << 2), (exists ? load<u32>(from + 2 + i) : 0) ^ BIAS);
      if (exists) unstorable += storeHalf(block + 512 + scaleAt(row), from);
      from += 34;
      block += tileBlock;
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
  const tileBlock: usize = 18 * 16;
  memory.fill(to, 0, <usize>blocks * tileBlock);
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to + row * 4;
    for (let b: u32 = 0; b < blocks; b++) {
      const q = from + 2;
      store<u32>(block, lowNibbles(q));
      store<u32>(block, lowNibbles(q + 8), 64);
      store<u32>(block, highNibbles(q), 128);
      store<u32>(block, highNibbles(q + 8), 192);
      unstorable += storeHalf(block - row * 4 + 256 + scaleAt(row), from);
      from += 18;
      block += tileBlock;
    }
  }
  return unstorable;
}

/** {f16 d, f16 d_min, u8 scales[12], u8 q[128]}, x = d · s · q − d_min · m. `blocks` of 256. */
export function repackQ4K(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  const tileBlock: usize = 152 * 16;
  memory.fill(to, 0, <usize>blocks * tileBlock);
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to;
    for (let b: u32 = 0; b < blocks; b++) {
      unstorable +=
        storeNumber(block + row * 4, from) + storeNumber(block + 64 + row * 4, from + 2);
      let part = block + 384;
      for (let i: usize = 0; i < 8; i++) {
        // 32 bytes hold two parts of 32 numbers: low nibbles the first, high nibbles the second.
        const q = from + 16 + (i >> 1) * 32;
        for (let line: usize = 0; line < 4; line++) {
          store<u32>(
            part + line * 64 + row * 4,
            i & 1 ? highNibbles(q + line * 8) : lowNibbles(q + line * 8),
          );
        }
        const at = (i >> 2) * 64 + row * 4 + (i & 3);
        store<u8>(block + 128 + at, sixBitScale(from + 4, i));
        store<u8>(block + 256 + at, sixBitMinimum(from + 4, i));
        part += 256;
      }
      from += 144;
      block += tileBlock;
    }
  }
  return unstorable;
}

/** {u8 lower[128], u8 upper[64], int8 scales[16], f16 d}: x = d · s · (q − 32). `blocks` of 256. */
export function repackQ6K(to: usize, rows: usize, rowBytes: u32, blocks: u32, count: u32): u32 {
  const tileBlock: usize = 212 * 16;
  memory.fill(to, 0, <usize>blocks * tileBlock);
  let unstorable: u32 = 0;
  for (let row: usize = 0; row < <usize>count; row++) {
    let from = rows + row * rowBytes;
    let block = to;
    for (let b: u32 = 0; b < blocks; b++) {
      unstorable += storeNumber(block + row * 4, from + 208);
      for (let i: usize = 0; i < 16; i++) {
        store<u8>(block + 64 + (i >> 2) * 64 + row * 4 + (i & 3), load<u8>(from + 192 + i));
        const part = block + 320 + i * 192 + row * 4;
        const q3 = sixBits(from, i * 16 + 12);
        store<u32>(part, sixBits(from, i * 16) | ((q3 & 0x03030303) << 6));
        store<u32>(part + 64, sixBits(from, i * 16 + 4) | ((q3 & 0x0c0c0c0c) << 4));
        store<u32>(part + 128, sixBits(from, i * 16 + 8) | ((q3 & 0x30303030) << 2));
      }
      from += 210;
      block += tileBlock;
    }
  }
  return unstorable;
}

/** Low nibbles of 8 bytes, those of the last four in the upper half of each byte. */
// @ts-ignore: decorator
@inline
function lowNibbles(q: usize): u32 {
  return (load<u32>(q) & LOW) | ((load<u32>(q, 4) & LOW) << 4);
}

// @ts-ignore: decorator
@inline
function highNibbles(q: usize): u32 {
  return ((load<u32>(q) >> 4) & LOW) | (load<u32>(q, 4) & HIGH);
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
  return (lower & LOW) | ((upper & 0x03030303) << 4);
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
