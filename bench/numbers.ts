import type { GgmlType } from './ggml-types.js';

/**
 * The numbers of a model, whatever file they go to. Tensors have the names that Hugging Face gives
 * them.
 */
export interface Numbers {
  /** Row after row, in pieces. */
  matrix(name: string, count: number, type: GgmlType): Iterable<Uint8Array>;
  vector(name: string, count: number): Float32Array;
}
