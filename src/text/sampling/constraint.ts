/**
 * What a text may be, held while it is written: before a token is chosen, all those that cannot
 * come next are removed. `src/text/grammar` makes such constraints for JSON.
 */

/**
 * Which tokens can come next in one text. A constraint has a state, the tokens so far; whoever
 * writes a text works on a fork of the one that was given, so that one can be given to many.
 */
export interface TokenConstraint {
  /** Whether the text may end here. A stop token is allowed exactly then. */
  readonly isComplete: boolean;
  /**
   * Sets the scores, [V], of all tokens that cannot come next to −Infinity. Stop tokens are not its
   * business: what it does to theirs is undone.
   *
   * @throws {LlamaError} UNSUPPORTED if the text is not complete and no token can go on from it,
   * which only a vocabulary without a piece for every byte can come to
   */
  forbid(scores: Float32Array): void;
  /**
   * Moves on by a token of the text.
   *
   * @throws {LlamaError} BAD_INPUT if it cannot come next
   */
  advance(token: number): void;
  /** Another one with the same state, which goes its own way from here. */
  fork(): TokenConstraint;
}

/** Leaves the stop tokens as they are where the text may end, and removes them elsewhere. */
export function constrain(
  scores: Float32Array,
  constraint: TokenConstraint,
  stopTokenIds: readonly number[],
): void {
  const ends = stopTokenIds.map(id => (constraint.isComplete ? scores[id] : -Infinity));
  constraint.forbid(scores);
  for (const [i, id] of stopTokenIds.entries()) scores[id] = ends[i];
}
