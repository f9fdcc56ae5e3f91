/** The formats of packed weights, and their sizes. The layouts are in `asm/README.md`. */

export type WeightFormat = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0';
/** Those, and two that are only taken as they are, from GGUF files. */
export type PackedFormat = WeightFormat | 'q4_k' | 'q6_k';
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

/** Numbers that share a scale in q8_0 and q4_0. */
const BLOCK = 32;
/** … in q4_k and q6_k. */
export const K_BLOCK = 256;
const SCALE_BYTES = 2;
/** Outputs in a tile of a packed matrix. */
export const TILE = 16;

/** How many blocks a row of `m` numbers takes. */
export function blocksOf(m: number): number {
  return Math.ceil(m / BLOCK);
}

/** Bytes of a tile: 16 rows of `m` numbers. */
export function tileBytes(format: PackedFormat, m: number): number {
  const evenM = m + (m % 2);
  switch (format) {
    case 'f32':
      return TILE * evenM * 4;
    case 'f16':
    case 'bf16':
      return TILE * evenM * 2;
    case 'q8_0':
      return TILE * blocksOf(m) * (BLOCK + SCALE_BYTES);
    case 'q4_0':
      return TILE * blocksOf(m) * (BLOCK / 2 + SCALE_BYTES);
    case 'q4_k':
      // 8 more than llama.cpp: scales and minima are whole bytes, d and d_min float32
      return TILE * (m / K_BLOCK) * 152;
    case 'q6_k':
      return TILE * (m / K_BLOCK) * 212; // d is float32
  }
}
