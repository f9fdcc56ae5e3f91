/** The tokenizers of golden/byte-level, and what Hugging Face's `tokenizers` makes of texts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readTokenizerJson } from '../../../src/tokenizer/json/tokenizer-json.js';
import type { ByteLevelModel } from '../../../src/tokenizer/model/tokenizer-model.js';
import { goldenPath } from '../../support/golden.js';

interface Expected {
  readonly ids: readonly string[];
  readonly encoded: readonly string[];
  readonly decoded: readonly string[];
  readonly decodedWithSpecial: readonly string[];
  readonly ofTexts: readonly string[];
}

export const golden: {
  readonly seed: number;
  readonly atoms: readonly string[];
  readonly ranges: readonly (readonly [first: number, last: number])[];
  readonly letters: string;
  readonly texts: number;
  readonly lists: number;
  readonly block: number;
  readonly tokenizers: Readonly<Record<string, Expected>>;
} = JSON.parse(readFileSync(goldenPath('byte-level/expected.json'), 'utf8'));

export const NAMES = Object.keys(golden.tokenizers);

export const jsonOf = (name: string): string =>
  readFileSync(goldenPath(`byte-level/${name}.json`), 'utf8');

export const modelOf = (name: string): ByteLevelModel =>
  readTokenizerJson(jsonOf(name)) as ByteLevelModel;

/** `Generator` of reference/make_byte_level.py. */
class Generator {
  #state = golden.seed;

  below(limit: number): number {
    let x = this.#state;
    x = (x ^ (x << 13)) >>> 0;
    x = (x ^ (x >>> 17)) >>> 0;
    x = (x ^ (x << 5)) >>> 0;
    this.#state = x;
    return x % limit;
  }

  text(index: number): string {
    const parts = index % 500 === 499 ? 300 : this.below(9);
    return this.#times(parts, () => this.#part()).join('');
  }

  ids(count: number): number[] {
    return this.#times(this.below(12), () => this.below(count));
  }

  #part(): string {
    const { atoms, letters, ranges } = golden;
    const kind = this.below(20);
    if (kind < 10) return atoms[this.below(atoms.length)];
    if (kind < 12) return atoms[this.below(atoms.length)].repeat(1 + this.below(20));
    if (kind < 15) {
      const length = 1 + this.below(20);
      return this.#times(length, () => letters[this.below(letters.length)]).join('');
    }
    const [first, last] = ranges[this.below(ranges.length)];
    const length = 1 + this.below(5);
    const character = () => String.fromCodePoint(first + this.below(last - first + 1));
    return this.#times(length, character).join('');
  }

  #times<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }
}

const generator = new Generator();
export const texts: readonly string[] = Array.from({ length: golden.texts }, (_, i) =>
  generator.text(i),
);
export const lists: readonly number[][] = Array.from({ length: golden.lists }, () =>
  generator.ids(1 << 16),
);

/** As reference/make_byte_level.py has them. */
export function blockHashes(values: readonly unknown[]): string[] {
  const starts = Array.from(
    { length: Math.ceil(values.length / golden.block) },
    (_, i) => i * golden.block,
  );
  return starts.map(start => {
    const text = JSON.stringify(values.slice(start, start + golden.block));
    return createHash('sha256').update(text).digest('hex').slice(0, 12);
  });
}
