/** The formats of packed weights, and their sizes. The layouts are in `asm/README.md`. */

export type WeightFormat = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0';

/** Numbers that share a scale in q8_0 and q4_0. */
const BLOCK = 32;
const GROUPS_PER_TILE = 4;

/** How many blocks a row of `m` numbers takes. */
export function blocksOf(m: number): number {
  return Math.ceil(m / BLOCK);
}

/** Bytes of 16 rows of `m` numbers. */
export function tileBytes(format: WeightFormat, m: number): number {
  return GROUPS_PER_TILE * groupBytes(format, m);
}

function groupBytes(format: WeightFormat, m: number): number {
  const pairs = Math.ceil(m / 2);
  switch (format) {
    case 'f32':
      return 32 * pairs;
    case 'f16':
    case 'bf16':
      return 16 * pairs;
    case 'q8_0':
      return Math.ceil((136 * blocksOf(m)) / 16) * 16;
    case 'q4_0':
      return Math.ceil((72 * blocksOf(m)) / 16) * 16;
  }
}
