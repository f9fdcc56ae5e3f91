/** What a tensor of theirs is, by its name. */

export type Meaning =
  /** A name of `src/model/trace.ts`, `tokens` or `positions`. */
  | { readonly is: string }
  /** Nothing that is compared, and why. */
  | { readonly leftOut: string }
  /** More than one thing, and what to do about it. */
  | { readonly unclear: string };

export const TOKENS = 'tokens';
export const POSITIONS = 'positions';
