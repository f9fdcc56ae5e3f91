/**
 * What a block format is: so many numbers in so many bytes, with scales of their own. The formats
 * are llama.cpp's (ggml-common.h, ggml-quants.c), one file each here; all numbers in them are
 * little-endian, all scales f16.
 *
 * A number is an integer of few bits times the scale of its block. In the K formats, blocks of 256
 * consist of groups of 16 or 32 numbers, whose scales are integers times the scale of the block.
 * The product of scale and integers always fits into float32, so that decoding rounds once at most:
 * where a minimum is added.
 */
import { check } from '../../base/errors.js';
import { f16ToF32, toF16Bits } from '../../base/half.js';

export interface BlockFormat {
  /** Numbers in a block; rows of a tensor are a multiple of it. */
  readonly numbers: number;
  readonly bytes: number;
  /** Writes the numbers of all `blocks` to the beginning of `out`. */
  decode(blocks: Uint8Array, out: Float32Array): void;
  /**
   * Writes the blocks of `values`, whose length is a multiple of `numbers`, to the beginning of
   * `out`. Absent where nobody needs it.
   * @throws {LlamaError} NOT_FINITE if a scale would be beyond f16, or a value is not a number.
   */
  encode?(values: Float32Array, out: Uint8Array): void;
}

export function readScale(blocks: Uint8Array, at: number): number {
  return f16ToF32(blocks[at] | (blocks[at + 1] << 8));
}

/** Throws NOT_FINITE for what is beyond f16: a block would become infinities. */
export function writeScale(blocks: Uint8Array, at: number, scale: number): void {
  const bits = toF16Bits(scale);
  check(
    (bits & 0x7c00) !== 0x7c00,
    'NOT_FINITE',
    () =>
      `a block needs the scale ${scale}, and scales are f16, 65504 at most; use F32 or BF16 for ` +
      'this tensor',
  );
  blocks[at] = bits & 0xff;
  blocks[at + 1] = bits >> 8;
}
