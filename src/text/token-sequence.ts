/**
 * A sequence that knows which tokens it holds, so that another text can use what both have in
 * common: of a conversation only what is new is computed. Where a text was computed before changes
 * no logit.
 */
import { commonLength } from '../base/common-length.js';
import { check } from '../base/errors.js';
import { rowsAfter } from '../model/chunks.js';

/** What a text needs of a model's sequence; `Sequence` of `src/model/sequence.ts` is one. */
export interface CachedPositions {
  readonly length: number;
  /** Forgets all positions from `length` on. */
  truncate(length: number): void;
  /** Gives the memory back. */
  dispose(): void;
}

/** A row of a forward pass over texts. */
export interface TextRow {
  readonly token: number;
  readonly position: number;
  readonly sequence: CachedPositions;
}

/**
 * The keys and values of a text, and its tokens. One text at a time uses it; between texts it keeps
 * what it holds, and so the memory, until `dispose`.
 */
export class TokenSequence {
  readonly #positions: CachedPositions;
  readonly #tokens: number[] = [];
  #isInUse = false;

  /** A new sequence of `model`; it holds nothing. */
  constructor(model: { createSequence(): CachedPositions }) {
    this.#positions = model.createSequence();
  }

  /** What computes them. */
  get positions(): CachedPositions {
    return this.#positions;
  }

  /** The tokens whose keys and values it holds. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /**
   * Keeps what it has in common with the beginning of `prompt`, `most` tokens at most, truncates
   * the rest, and belongs to this prompt's text until `release`. The last token of a prompt is
   * never kept, as its logits are needed.
   *
   * @returns how many tokens were kept
   * @throws {LlamaError} BAD_INPUT if another text is using it
   */
  begin(prompt: readonly number[], most = prompt.length - 1): number {
    check(
      !this.#isInUse,
      'BAD_INPUT',
      () => 'the sequence is in use by another text; give each text its own, or wait for the other',
    );
    // A pass that failed may have left positions that nobody took note of.
    const held = Math.min(this.#positions.length, most, prompt.length - 1);
    const kept = Math.min(held, commonLength(this.#tokens, prompt));
    if (kept < this.#positions.length) this.#positions.truncate(kept);
    this.#tokens.length = kept;
    this.#isInUse = true;
    return kept;
  }

  /** The rows that continue it with `tokens`. */
  rows(tokens: readonly number[]): readonly TextRow[] {
    return rowsAfter(this.#positions, tokens);
  }

  /** Takes note that the rows of `tokens` were computed. */
  append(tokens: readonly number[]): void {
    for (const token of tokens) this.#tokens.push(token);
  }

  /** Whether tokens can be taken back: somebody else's model may not need it otherwise. */
  get canTruncate(): boolean {
    return typeof this.#positions.truncate === 'function';
  }

  /** Forgets the tokens from `length` on, if it has more. */
  truncate(length: number): void {
    if (this.#tokens.length <= length) return;
    this.#positions.truncate(length);
    this.#tokens.length = length;
  }

  /** Another text may use it now; what it holds stays. */
  release(): void {
    this.#isInUse = false;
  }

  /** Gives the memory back; it cannot be used afterwards. */
  dispose(): void {
    this.#tokens.length = 0;
    this.#positions.dispose();
  }
}
