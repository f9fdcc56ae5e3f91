/**
 * Stop strings in a text that arrives in pieces.
 *
 * Text is held back as long as it may turn out to be the beginning of a stop string, and let go as
 * soon as it cannot. The match that is COMPLETE first wins: that is where generation would have
 * ended had the text come one character at a time, and so the result cannot depend on how the text
 * is cut into pieces. Of several that end together the longest wins.
 *
 * One Knuth-Morris-Pratt automaton per stop string (SIAM J. Comput. 6(2), 1977): time is linear in
 * the text, however much is held back. No buffer is needed, for what is held back IS the beginning
 * of a stop string. Lengths are in UTF-16 units.
 */
import { checkOption } from '../base/options.js';

export interface StopPiece {
  /** What can be shown now: never part of a stop string, nor of anything after it. */
  readonly text: string;
  /** The stop string that was found; from then on nothing more comes out. */
  readonly stop: string | undefined;
}

export class StopMatcher {
  readonly #automata: Automaton[];
  #found: string | undefined;

  /** Throws BAD_OPTION on an empty stop string: it would match everywhere. */
  constructor(stops: readonly string[]) {
    this.#automata = stops.map(stop => {
      checkOption(
        'stop',
        stop,
        typeof stop === 'string' && stop !== '',
        'a list of non-empty strings',
      );
      return new Automaton(stop);
    });
  }

  push(piece: string): StopPiece {
    if (this.#found !== undefined) return { text: '', stop: this.#found };
    const held = this.#heldText();
    for (let i = 0; i < piece.length; i++) {
      const match = this.#advance(piece.charCodeAt(i));
      if (match === undefined) continue;
      this.#found = match;
      return { text: startOf(held, piece, held.length + i + 1 - match.length), stop: match };
    }
    return {
      text: startOf(held, piece, held.length + piece.length - this.#heldText().length),
      stop: undefined,
    };
  }

  /** The text still held back; for when no more will come. */
  flush(): string {
    if (this.#found !== undefined) return '';
    const held = this.#heldText();
    for (const automaton of this.#automata) automaton.matched = 0;
    return held;
  }

  /** Takes one UTF-16 unit; the longest stop string that ends with it, if any. */
  #advance(unit: number): string | undefined {
    let match: string | undefined;
    for (const automaton of this.#automata) {
      automaton.advance(unit);
      if (automaton.complete && automaton.stop.length > (match?.length ?? 0))
        match = automaton.stop;
    }
    return match;
  }

  #heldText(): string {
    let longest = '';
    for (const { stop, matched } of this.#automata)
      if (matched > longest.length) longest = stop.slice(0, matched);
    return longest;
  }
}

/** The first `length` units of `held + piece`, without joining them. */
const startOf = (held: string, piece: string, length: number): string =>
  held.slice(0, length) + piece.slice(0, Math.max(0, length - held.length));

class Automaton {
  readonly stop: string;
  /** How many units of `stop` the text ends with. */
  matched = 0;
  /**
   * fallback[i]: the length of the longest proper beginning of stop[0 … i] that is also its end.
   */
  readonly #fallback: Uint32Array;

  constructor(stop: string) {
    this.stop = stop;
    this.#fallback = new Uint32Array(stop.length);
    for (let i = 1; i < stop.length; i++) {
      this.advance(stop.charCodeAt(i)); // the string is matched against itself, one behind
      this.#fallback[i] = this.matched;
    }
    this.matched = 0;
  }

  get complete(): boolean {
    return this.matched === this.stop.length;
  }

  advance(unit: number): void {
    while (this.matched > 0 && this.stop.charCodeAt(this.matched) !== unit)
      this.matched = this.#fallback[this.matched - 1];
    if (this.stop.charCodeAt(this.matched) === unit) this.matched += 1;
  }
}
