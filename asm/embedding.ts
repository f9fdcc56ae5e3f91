/**
 * Row r of the result is row tokens[r] of the table [V, D], which lies as in a checkpoint: row
 * after row, in the checkpoint's type. See `src/ops/embedding.ts`.
 *
 * Numerics: every f16 and every bf16 is a float32 exactly.
 */
import { fromF16 } from './f16';

/** Rows firstRow … endRow − 1 of out, whose stride is in floats; tokens are u32. */
export function embedF32(
  out: usize,
  outStride: usize,
  table: usize,
  tokens: usize,
  width: usize,
  firstRow: usize,
  endRow: usize,
): void {
  const bytes = width << 2;
  for (let row = firstRow; row < endRow; row++) {
    const to = outputRow(out, outStride, row, width);
    memory.copy(to, table + tokenAt(tokens, row) * bytes, bytes);
  }
}

export function embedBF16(
  out: usize,
  outStride: usize,
  table: usize,
  tokens: usize,
  width: usize,
  firstRow: usize,
  endRow: usize,
): void {
  for (let row = firstRow; row < endRow; row++) {
    const to = outputRow(out, outStride, row, width);
    const from = table + ((tokenAt(tokens, row) * width) << 1);
    let i: usize = 0;
    for (; i + 4 <= width; i += 4)
      v128.store(to + (i << 2), fromBF16(v128.load16x4_u(from + (i << 1))));
    for (; i < width; i++)
      v128.store_lane<f32>(to + (i << 2), fromBF16(i32x4.splat(load<u16>(from + (i << 1)))), 0);
  }
}

export function embedF16(
  out: usize,
  outStride: usize,
  table: usize,
  tokens: usize,
  width: usize,
  firstRow: usize,
  endRow: usize,
): void {
  for (let row = firstRow; row < endRow; row++) {
    const to = outputRow(out, outStride, row, width);
    const from = table + ((tokenAt(tokens, row) * width) << 1);
    let i: usize = 0;
    for (; i + 4 <= width; i += 4)
      v128.store(to + (i << 2), fromF16(v128.load16x4_u(from + (i << 1))));
    for (; i < width; i++)
      v128.store_lane<f32>(to + (i << 2), fromF16(i32x4.splat(load<u16>(from + (i << 1)))), 0);
  }
}

/** The address of a row of the result, whose padding is cleared. */
// @ts-ignore: decorator
@inline
function outputRow(out: usize, stride: usize, row: usize, width: usize): usize {
  const start = out + ((row * stride) << 2);
  memory.fill(start + (width << 2), 0, (stride - width) << 2);
  return start;
}

// @ts-ignore: decorator
@inline
function tokenAt(tokens: usize, row: usize): usize {
  return load<u32>(tokens + (row << 2));
}

/** A bf16 is the upper half of a float32. */
// @ts-ignore: decorator
@inline
function fromBF16(bits: v128): v128 {
  return i32x4.shl(bits, 16);
}
