/**
 * What a mutant is: a bug that somebody had, or could have, made into one small change of a setup.
 */
import type { LlamaConfig } from '../../model/config.js';
import type { Setup } from '../run/setup.js';

/** A setup with something changed; the given one is left as it is. */
export type Change = (setup: Setup) => Setup;

export interface Variant {
  /** Which form of the bug it is, such as `θ = 1,000,000`; empty if it has one only. */
  readonly what: string;
  /**
   * The setup with the bug. It can be run again and again, but not by two at a time: kernels count
   * the calls of a pass.
   */
  readonly apply: Change;
}

export interface Mutant {
  /** `place.what`: never changes once it is published. */
  readonly id: string;
  /** Such as `RoPE: the factor is ignored`. */
  readonly name: string;
  /** What is wrong, and what one sees of it. */
  readonly explains: string;
  /** What to do about it, by the names that settings have elsewhere. */
  readonly fix: string;
  /** Who had it; nobody that is known had a control. */
  readonly references: readonly string[];
  /** Whether it looks at the end of the text, so that a part of it does not show the same. */
  readonly needsWholeText?: boolean;
  /** Why it changes no number of this model in a text of so many tokens; undefined if it does. */
  equivalent?(config: LlamaConfig, tokens: number): string | undefined;
  /**
   * The forms that can be told from each other in such a text, the most usual one first. Of a
   * mutant that is equivalent there may be some too, which then change nothing.
   */
  variants(config: LlamaConfig, tokens: number): readonly Variant[];
}

type Equivalent = NonNullable<Mutant['equivalent']>;

/** The variants of a bug that has one form. */
export const one =
  (apply: Change): Mutant['variants'] =>
  () => [{ what: '', apply }];

/** A variant for each value, by its name. */
export const each = <T>(
  values: readonly T[],
  name: (value: T) => string,
  apply: (setup: Setup, value: T) => Setup,
): Variant[] => values.map(value => ({ what: name(value), apply: setup => apply(setup, value) }));

/** Variants of whatever depends on a number of positions. */
export const eachSize = (
  sizes: readonly number[],
  apply: (setup: Setup, size: number) => Setup,
): Mutant['variants'] => {
  return (_, tokens) => each(below(tokens, sizes), size => `n = ${size}`, apply);
};

/** The sizes that a text is longer than; the smallest one, which then shows nothing, if none is. */
const below = (tokens: number, sizes: readonly number[]): readonly number[] => {
  const shown = sizes.filter(size => size < tokens);
  return shown.length > 0 ? shown : sizes.slice(0, 1);
};

/** Of values that have the same key the first one. */
export function distinctBy<T>(values: readonly T[], key: (value: T) => unknown): T[] {
  const keys = values.map(key);
  return values.filter((_, i) => keys.indexOf(keys[i]) === i);
}

/** Of what shows only in texts that are longer than the first of `sizes`. */
export const unlessLongerThan =
  ([smallest]: readonly number[]): Equivalent =>
  (_, tokens) =>
    tokens > smallest ? undefined : `the text has no more than ${smallest} tokens`;

/** Of what shows from the second token on. */
export const unlessSecondToken: Equivalent = (_, tokens) =>
  tokens > 1 ? undefined : 'at position 0 nothing is rotated, and attention has one key only';

/** Of what lets a text be seen that is the same. */
export const unlessOtherTokens: Equivalent = (_, tokens) =>
  tokens > 1 ? undefined : 'values of one token are all the same, and so is their average';

/** `reason`, where it holds. */
export const when =
  (holds: (config: LlamaConfig) => boolean, reason: string): Equivalent =>
  config =>
    holds(config) ? reason : undefined;

/** The first reason that there is. */
export const firstOf =
  (...all: readonly Equivalent[]): Equivalent =>
  (config, tokens) =>
    all.map(equivalent => equivalent(config, tokens)).find(reason => reason !== undefined);
