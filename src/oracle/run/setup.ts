/** All that decides what a model computes from a text, so that a part of it can be exchanged. */
import type { Tensor } from '../../base/tensor.js';
import type { Past } from '../../engines/exact/exact-kernels.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Kernels, ModelWeights } from '../../model/kernels.js';

/** A row of the pass: a token, the place of its keys and values being that in the list of steps. */
export interface Step {
  readonly token: number;
  /** By which it is rotated. */
  readonly position: number;
  /** Which place of the text gets what this row gives; undefined if none does. */
  readonly place: number | undefined;
}

/** A model, its arithmetic and a text; what a mutant changes one thing of. */
export interface Setup {
  readonly config: LlamaConfig;
  readonly weights: ModelWeights<Tensor>;
  readonly kernels: Kernels<Tensor>;
  readonly steps: readonly Step[];
  /** Keys and values by the places of steps. */
  readonly past: Past;
  /**
   * Whether a row depends on what attention gives to other rows, so that none may be left out;
   * none does in a model that is right.
   */
  readonly mixesRows?: boolean;
}

/** The steps of a text that begins at position 0. */
export const stepsOf = (tokens: readonly number[]): Step[] =>
  tokens.map((token, position) => ({ token, position, place: position }));
