/**
 * How a text went on where its last tokens stood before: the longest match of its end that begins
 * earlier, found as LZ77 coders find theirs (Ziv and Lempel, IEEE Trans. Inf. Theory 23(3), 1977;
 * hash chains: RFC 1951 §4).
 *
 * Places are chained by the `SHORTEST` tokens that end there, the latest first. A search compares
 * the last `MOST_PLACES` of the chain, each at most `LONGEST` tokens back, so that a token costs
 * the same however long the text is.
 */

/** Matches of fewer tokens are not looked for: two in a row stand in many places. */
const SHORTEST = 3;
const LONGEST = 32;
const MOST_PLACES = 16;

const NONE = -1;

export class Continuations {
  readonly #ids: readonly number[];
  /** The latest place at which each SHORTEST tokens end. */
  readonly #latest = new Map<number, number>();
  /** The place before each with the same SHORTEST tokens. */
  readonly #before: number[] = [];

  /** @param ids the text; it grows at its end only */
  constructor(ids: readonly number[]) {
    this.#ids = ids;
  }

  /** What followed the longest match of the text's end, at most `most` tokens; often nothing. */
  find(most: number): readonly number[] {
    this.#takeNote();
    const place = this.#longestMatch();
    return place === NONE ? [] : this.#ids.slice(place + 1, place + 1 + most);
  }

  /** Chains the places that are new. */
  #takeNote(): void {
    for (let place = this.#before.length; place < this.#ids.length; place++) {
      const key = this.#keyAt(place);
      this.#before.push(this.#latest.get(key) ?? NONE);
      this.#latest.set(key, place);
    }
  }

  /** Where a match of the end ends: the longest, the latest of several; NONE without one. */
  #longestMatch(): number {
    let best = NONE;
    let longest = SHORTEST - 1;
    let place = this.#before[this.#ids.length - 1] ?? NONE;
    for (let i = 0; i < MOST_PLACES && place !== NONE && longest < LONGEST; i++) {
      const length = this.#matchAt(place);
      if (length > longest) [best, longest] = [place, length];
      place = this.#before[place];
    }
    return best;
  }

  /** How many tokens up to `place` are those at the end. */
  #matchAt(place: number): number {
    const ids = this.#ids;
    const end = ids.length - 1;
    let length = 0;
    while (length < LONGEST && length <= place && ids[place - length] === ids[end - length])
      length += 1;
    return length;
  }

  /** Different tokens may have the same key; `#matchAt` looks at the tokens themselves. */
  #keyAt(place: number): number {
    let key = 0;
    for (let i = 0; i < SHORTEST; i++)
      key = (Math.imul(key, 0x9e3779b1) ^ (this.#ids[place - i] ?? NONE)) >>> 0;
    return key;
  }
}
