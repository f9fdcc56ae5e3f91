/**
 * How likely the model found each token of a prompt: of token i, by the logits of row i − 1. They
 * come chunk by chunk, and are not kept.
 */
import type { Floats } from '../base/tensor.js';
import { logprobsOf, type StepLogprobs } from './sampling/logprobs.js';

export class PromptLogprobs {
  readonly #prompt: readonly number[];
  readonly #alternatives: number;
  /** Those known so far: of the tokens 0 … length − 1. */
  readonly #known: (StepLogprobs | undefined)[] = [undefined];

  /** @param alternatives how many likeliest tokens to tell of at each place */
  constructor(prompt: readonly number[], alternatives: number) {
    this.#prompt = prompt;
    this.#alternatives = alternatives;
  }

  get all(): readonly (StepLogprobs | undefined)[] {
    return this.#known;
  }

  /** Whether the logits of the row at `position` say something that is not known yet. */
  wants(position: number): boolean {
    return position + 1 >= this.#known.length && position + 1 < this.#prompt.length;
  }

  /** Takes the logits, [V], of the next row that it wants. */
  take(logits: Floats): void {
    const token = this.#prompt[this.#known.length];
    this.#known.push(logprobsOf(logits, token, this.#alternatives));
  }
}
