/** The formats of packed weights, and their sizes. The layouts are in `asm/README.md`. */

export type WeightFormat = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0';
/** Those with blocks, most of which are only taken as they are, from GGUF files. */
export type BlockFormat = keyof typeof BLOCK_SIZES;
export type PackedFormat = WeightFormat | BlockFormat;
/**
 * How a weight is stored: packed for `matmul`, or as rows of the checkpoint's numbers for
 * `embedding`, or as a vector of float32.
 */
export type PlaceFormat = PackedFormat | 'rows-f32' | 'rows-f16' | 'rows-bf16' | 'vector';

/**
 * Of the layouts, all together. Another number whenever the packed bytes of any weight become
 * others, in any build: packed weights are kept on disks, and those of other versions are not
 * taken. `test/engines/wasm/packed-layouts.test.ts` tells when.
 */
export const LAYOUT_VERSION = 2;

/** Numbers that share a scale, but for those of the K formats. */
const BLOCK = 32;
/** … in the K formats. */
const K_BLOCK = 256;

/**
 * How many numbers of a row are a block, and how many bytes they take in a tile. A few more than in
 * llama.cpp's: scales and minima of the K formats are whole bytes, d and d_min float32.
 */
export const BLOCK_SIZES = {
  q8_0: [BLOCK, 34],
  q4_0: [BLOCK, 18],
  q4_1: [BLOCK, 20],
  q5_0: [BLOCK, 22],
  q5_1: [BLOCK, 24],
  q2_k: [K_BLOCK, 88],
  q3_k: [K_BLOCK, 116],
  q4_k: [K_BLOCK, 152],
  q5_k: [K_BLOCK, 184],
  q6_k: [K_BLOCK, 212],
} as const;

export function isBlockFormat(format: string): format is BlockFormat {
  return format in BLOCK_SIZES;
}

/** Outputs in a tile of a packed matrix. */
export const TILE = 16;

/** How many blocks a row of `m` numbers takes. */
export function blocksOf(m: number): number {
  return Math.ceil(m / BLOCK);
}

/** Bytes of a tile: 16 rows of `m` numbers. */
export function tileBytes(format: PackedFormat, m: number): number {
  if (isBlockFormat(format)) {
    const [numbers, bytes] = BLOCK_SIZES[format];
    return TILE * Math.ceil(m / numbers) * bytes;
  }
  const evenM = m + (m % 2);
  return TILE * evenM * (format === 'f32' ? 4 : 2);
}
