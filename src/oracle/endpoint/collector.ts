/** Log-probabilities as they come in, and what of them cannot be used. */
import type { Scores } from './asked.js';

/**
 * What servers write for a probability of 0: JSON has no −Infinity. vLLM has this, llama.cpp the
 * smallest float32.
 */
const FLOOR = -9999;

/** vLLM's way to name a token, if it is asked to, and ours where two tokens read alike. */
const NAMED_BY_ID = /^token_id:(\d+)$/;

const TELLING = 20;

export class Collector {
  readonly #tokenOf: (piece: string) => number | undefined;
  readonly #scores = new Map<number, Map<number, number>>();
  readonly #known = new Set<string>();
  readonly #unknown = new Set<string>();
  #floors = 0;

  constructor(tokenOf: (piece: string) => number | undefined) {
    this.#tokenOf = tokenOf;
  }

  /** The token of a server's name. */
  idOf(name: string): number | undefined {
    const id = NAMED_BY_ID.exec(name)?.[1];
    return id === undefined ? this.#tokenOf(name) : Number(id);
  }

  /** @param logprob as it came; what is no number is NaN */
  add(position: number, token: number, logprob: unknown): void {
    const value = typeof logprob === 'number' ? logprob : NaN;
    const row = this.#scores.get(position) ?? new Map<number, number>();
    this.#scores.set(position, row);
    if (value <= FLOOR) this.#floors += 1;
    else row.set(token, value);
  }

  addNamed(position: number, name: string, logprob: unknown): void {
    const id = this.idOf(name);
    (id === undefined ? this.#unknown : this.#known).add(name);
    if (id !== undefined) this.add(position, id, logprob);
  }

  /**
   * Whether tokens seem to be named by texts that have lost the blank at their beginning, as many
   * tokenizers decode a single one: of so many names there would be one that has it.
   */
  losesBlanks(): boolean {
    const names = [...this.#known];
    const couldHave = names.filter(name => this.#tokenOf(` ${name}`) !== undefined);
    return couldHave.length >= TELLING && !names.some(name => /^[\s▁Ġ]/.test(name));
  }

  /** Those of `positions` of which there is a number, ascending. */
  scores(positions: readonly number[]): Scores[] {
    return positions.flatMap(position => {
      const logprobs = this.#scores.get(position);
      return logprobs === undefined || logprobs.size === 0 ? [] : [{ position, logprobs }];
    });
  }

  notes(): string[] {
    const notes = [];
    if (this.#floors > 0)
      notes.push(`left out: probabilities that it rounds to 0: ${this.#floors}`);
    if (this.#unknown.size > 0) {
      const names = [...this.#unknown].slice(0, 3).map(name => JSON.stringify(name));
      notes.push(
        `left out: tokens whose names are no token's text, or that of several: ` +
          `${this.#unknown.size} names, such as ${names.join(', ')}`,
      );
    }
    return notes;
  }
}
