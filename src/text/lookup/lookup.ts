/**
 * Lookup decoding: what the text may go on with is proposed from the text itself, computed in the
 * same pass, and kept as far as the sampler chooses the same (Saxena, "Prompt Lookup Decoding",
 * 2023; speculative decoding: Leviathan et al. 2023, arXiv:2211.17192, here without another model).
 * Answers about a document quote it, and code repeats itself.
 *
 * Nothing of what is said changes, as logits do not depend on what else is in a pass, and a draw
 * depends on its position and the seed only.
 *
 * What it may cost. A row more in a pass costs a part of a pass: with 1.1B Q4_K_M 0.3 of one, the
 * fourth, 0.25 the eighth. So refused tokens are paid for: an account has `START`, earns `EARNED`
 * with every token and `BONUS` with each that is accepted, and pays 1 for each that is refused.
 * A text that repeats nothing has at most START + EARNED · tokens rows computed for nothing: even
 * where a row costs a whole pass, 5 % and a row or two.
 *
 * How much is proposed: `FIRST` tokens, twice as many after all were accepted, half as many, but
 * one at least, after some were refused.
 */
import { Continuations } from './continuations.js';

const START = 2;
const EARNED = 0.05;
const BONUS = 1;
const MOST_SAVED = 64;
const FIRST = 4;
const MOST_AT_ONCE = 16;

/** What lookup decoding did for a text. */
export interface LookupTally {
  /** Tokens that were computed before the text came to them. */
  readonly proposed: number;
  /** Those of them that the text came to. */
  readonly accepted: number;
}

export class Lookup {
  readonly #continuations: Continuations;
  #account = START;
  #length = FIRST;
  readonly #tally = { proposed: 0, accepted: 0 };

  /** @param ids the text, prompt and output; it grows at its end only */
  constructor(ids: readonly number[]) {
    this.#continuations = new Continuations(ids);
  }

  /** Goes on counting. */
  get tally(): LookupTally {
    return this.#tally;
  }

  /** What the text may go on with, at most `most` tokens; often nothing. */
  propose(most: number): readonly number[] {
    const affordable = Math.min(most, this.#length, Math.floor(this.#account));
    return affordable > 0 ? this.#continuations.find(affordable) : [];
  }

  /** Takes note of a pass that computed `proposed` tokens, of which `accepted` came. */
  learn(proposed: number, accepted: number): void {
    this.#tally.proposed += proposed;
    this.#tally.accepted += accepted;
    const refused = proposed - accepted;
    const earned = EARNED * (1 + accepted) + BONUS * accepted - refused;
    this.#account = Math.min(MOST_SAVED, this.#account + earned);
    if (proposed === 0) return;
    if (refused === 0) this.#length = Math.min(MOST_AT_ONCE, 2 * this.#length);
    else this.#length = Math.max(1, accepted, Math.floor(this.#length / 2));
  }
}
