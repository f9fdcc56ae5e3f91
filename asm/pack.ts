/**
 * Weights into the tiles that the matmuls read (README.md): f32, bf16 and f16. The formats with
 * blocks are in `pack-blocks.ts`.
 *
 * Each function packs one tile: `count` (1 … 16) rows of `m` numbers, `rowStride` numbers apart;
 * the other rows become 0.
 *
 * Numerics: float32 becomes bf16 or f16 by rounding to nearest, ties to even. f16 ends at 128
 * (`half.ts`): `packF16` returns how many numbers could not be stored; unless it is 0, the tile is
 * worthless. Elsewhere NaN and Infinity are the caller's problem.
 */
import { countUnstorable, storedHalf } from './half';
import { eightHalves, fourNumbers } from './rows';

// What a tile is made from, and its format.
const F32: u32 = 0;
const F32_TO_BF16: u32 = 1;
const F32_TO_F16: u32 = 2;
const PAIRS: u32 = 3;

export function packF32(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): void {
  packTile(F32, to, rows, rowStride, m, count);
}

export function packBF16(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): void {
  packTile(F32_TO_BF16, to, rows, rowStride, m, count);
}

export function packF16(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): u32 {
  packTile(F32_TO_F16, to, rows, rowStride, m, count);
  let unstorable: u32 = 0;
  for (let row: u32 = 0; row < count; row++) {
    const from = rows + ((<usize>row * rowStride) << 2);
    let k: u32 = 0;
    for (; k + 4 <= m; k += 4) unstorable += countUnstorable(fourNumbers(from, k, m, true, true));
    if (k < m) unstorable += countUnstorable(fourNumbers(from, k, m, true, false));
  }
  return unstorable;
}

/** From 16-bit rows as they are stored: bf16, or f16 after `rebiasF16`. */
export function packPairs(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): void {
  packTile(PAIRS, to, rows, rowStride, m, count);
}

/**
 * A lane of the tile holds one number of a row, or a pair of 16-bit numbers: four lanes are four
 * numbers, or eight.
 */
// @ts-ignore: decorator
@inline
function packTile(kind: u32, to: usize, rows: usize, rowStride: u32, m: u32, count: u32): void {
  const stride = (<usize>rowStride) << (kind == PAIRS ? 1 : 2);
  const perLane: u32 = kind == F32 ? 1 : 2;
  const end = (m + 1) & ~1; // f32, too, has as many numbers as if they came in pairs
  // Four rows at a time for a cache line's length: where rows are a power of two apart, no more
  // would stay in the cache.
  for (let line: u32 = 0; line < end; line += 16 * perLane) {
    const lineEnd = min(line + 16 * perLane, end);
    for (let row: u32 = 0; row < 16; row += 4) {
      const from = rows + <usize>row * stride;
      for (let k = line; k < lineEnd; k += 4 * perLane) {
        const at = to + (row << 2) + ((k / perLane) << 6);
        if (row + 4 <= count && k + 4 * perLane <= m)
          packColumns(kind, at, from, stride, k, m, 4, 4, true);
        else
          packEdge(
            kind,
            at,
            from,
            stride,
            k,
            m,
            max(count, row) - row,
            min((end - k) / perLane, 4),
          );
      }
    }
  }
}

/** Where rows or numbers are missing. */
function packEdge(
  kind: u32,
  to: usize,
  from: usize,
  stride: usize,
  k: u32,
  m: u32,
  count: u32,
  columns: u32,
): void {
  packColumns(kind, to, from, stride, k, m, count, columns, false);
}

/** `columns` (1 … 4) lanes of each of `count` (0 … 4) rows, from number k on. */
// @ts-ignore: decorator
@inline
function packColumns(
  kind: u32,
  to: usize,
  from: usize,
  stride: usize,
  k: u32,
  m: u32,
  count: u32,
  columns: u32,
  whole: bool,
): void {
  const a = fourLanes(kind, from, k, m, count > 0, whole),
    b = fourLanes(kind, from + stride, k, m, count > 1, whole);
  const c = fourLanes(kind, from + 2 * stride, k, m, count > 2, whole),
    d = fourLanes(kind, from + 3 * stride, k, m, count > 3, whole);
  const ab01 = v128.shuffle<i32>(a, b, 0, 4, 1, 5),
    ab23 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<i32>(c, d, 0, 4, 1, 5),
    cd23 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab01, cd01, 0, 2));
  if (columns > 1) v128.store(to, v128.shuffle<i64>(ab01, cd01, 1, 3), 64);
  if (columns > 2) v128.store(to, v128.shuffle<i64>(ab23, cd23, 0, 2), 128);
  if (columns > 3) v128.store(to, v128.shuffle<i64>(ab23, cd23, 1, 3), 192);
}

/** The next four lanes of a row, from number k on. */
// @ts-ignore: decorator
@inline
function fourLanes(kind: u32, from: usize, k: u32, m: u32, exists: bool, whole: bool): v128 {
  if (kind == F32) return fourNumbers(from, k, m, exists, whole);
  if (kind == PAIRS) return eightHalves(from, k, m, exists, whole);
  const first = fourNumbers(from, k, m, exists, whole);
  const second = fourNumbers(from, k + 4, m, exists, whole);
  if (kind == F32_TO_BF16) return i16x8.narrow_i32x4_u(nearestBF16(first), nearestBF16(second));
  return i16x8.narrow_i32x4_u(storedHalf(first), storedHalf(second));
}

/** The bf16 nearest to each lane, in its lower 16 bits. NaN stays NaN, and Infinity Infinity. */
// @ts-ignore: decorator
@inline
function nearestBF16(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(x, i32x4.add(odd, i32x4.splat(0x7fff)));
  return i32x4.shr_u(v128.bitselect(rounded, i32x4.splat(0x7fc00000), f32x4.eq(x, x)), 16);
}
