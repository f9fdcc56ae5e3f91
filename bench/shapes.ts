/**
 * The sizes of models that people run, and a tiny one for trying out a bench. Letters as in
 * `src/model/config.ts`.
 */

export interface Shape {
  readonly V: number;
  readonly D: number;
  readonly F: number;
  readonly L: number;
  readonly H: number;
  readonly K: number;
  readonly positions: number;
  /** Of linear position interpolation. */
  readonly ropeFactor: number;
}

export const SHAPES = {
  tiny: { V: 512, D: 256, F: 704, L: 2, H: 4, K: 2, positions: 32768, ropeFactor: 8 },
  /** Stories 110M of llama2.c. */
  '110M': { V: 32000, D: 768, F: 2048, L: 12, H: 12, K: 12, positions: 32768, ropeFactor: 8 },
  /** TinyLlama. */
  '1.1B': { V: 32000, D: 2048, F: 5632, L: 22, H: 32, K: 4, positions: 32768, ropeFactor: 8 },
  /** Llama-2-7B-32K. */
  '7B': { V: 32000, D: 4096, F: 11008, L: 32, H: 32, K: 32, positions: 32768, ropeFactor: 8 },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof SHAPES;

/** Numbers in all matrices that a token is multiplied with: the embedding is only looked up. */
export function matrixParameters({ V, D, F, L, H, K }: Shape): number {
  const keyValue = (D / H) * K;
  return L * (2 * D * D + 2 * keyValue * D + 3 * F * D) + V * D;
}
