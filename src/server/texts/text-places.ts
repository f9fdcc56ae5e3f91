/** Where in a text its tokens begin. */
import type { Tokenizer } from '../../tokenizer/tokenizer.js';

/** Places in UTF-16 units; that of a byte of a character is where the character is. */
export class TextPlaces {
  readonly #decoder: ReturnType<Tokenizer['streamDecoder']>;
  #place = 0;

  /** @param before tokens that the text goes on from; it begins behind them */
  constructor(tokenizer: Pick<Tokenizer, 'streamDecoder'>, before: readonly number[]) {
    this.#decoder = tokenizer.streamDecoder();
    for (const id of before) this.#decoder.push(id);
  }

  next(token: number): number {
    const place = this.#place;
    this.#place += this.#decoder.push(token).length;
    return place;
  }
}
