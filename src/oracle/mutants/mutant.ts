/** A bug that somebody had, as a change of what decides what a model computes. */
import type { LlamaConfig } from '../../model/config.js';
import type { Setup } from '../run/setup.js';

/** One of the forms that a bug has. */
export interface Variant {
  /** Such as "θ = 1,000,000"; empty if there is one form only. */
  readonly what: string;
  apply(setup: Setup): Setup;
}

export interface Mutant {
  /** `place.what`: never changes once it is published. */
  readonly id: string;
  readonly name: string;
  readonly explains: string;
  readonly fix: string;
  readonly references: readonly string[];
  /** Whether it looks at the end of the text, so that a part of it does not show the same. */
  readonly needsWholeText?: boolean;
  /** Why it changes no number in this model of a text of so many tokens; undefined if it does. */
  equivalent?(config: LlamaConfig, tokens: number): string | undefined;
  variants(config: LlamaConfig, tokens: number): readonly Variant[];
}
