/**
 * Text in pieces of bytes, as GPT-2 and Llama 3 have them: no character is without one.
 *
 *     "Hi 🦙!" → Hi, ␣🦙, !                  words, by regular expressions (`splitter.ts`)
 *       → H i, Ġ ð Ł ¦ Ļ, !  → merge        bytes of UTF-8, in GPT-2's alphabet (`words.ts`)
 *       → Hi ĠðŁ¦ Ļ ! → ids
 *
 * Reading: the bytes of all pieces are one text; added tokens have the bytes that they read like,
 * if they are `normalized` behind the normalizer.
 * Special tokens that are left out do not stand between others. What is no UTF-8 becomes U+FFFD as
 * in Rust: one for all the bytes that there are of a character (`utf8-stream.ts`).
 *
 * Hugging Face does the same, but reads the characters of an added token as bytes if all of them
 * are in the alphabet: "é" then is no longer "é".
 */
import { Utf8Stream } from '../decode/utf8-stream.js';
import { leastTokens } from '../encode/least-tokens.js';
import { spelledBytes } from '../model/byte-alphabet.js';
import { MERGING } from '../model/merge-table.js';
import type { Before, Normalized, Spelling, SpellingReader } from '../model/spelling.js';
import type { ByteLevelModel } from '../model/tokenizer-model.js';
import { splitterOf } from './splitter.js';
import { WordEncoder } from './words.js';

export class ByteLevelSpelling implements Spelling {
  readonly #model: ByteLevelModel;
  readonly #split: ReturnType<typeof splitterOf>;
  readonly #words: WordEncoder;
  readonly #texts: PieceTexts;

  constructor(model: ByteLevelModel) {
    this.#model = model;
    this.#split = splitterOf(model.rule);
    this.#words = new WordEncoder(model);
    this.#texts = new PieceTexts(model, added => this.normalize(added).text);
  }

  normalize(stretch: string): Normalized {
    const text = toWellFormed(stretch);
    if (this.#model.rule.normalizer === 'none') return { text, added: 0 };
    const normal = text.normalize('NFC');
    return { text: normal, added: normal === text ? 0 : undefined };
  }

  pushIds(ids: number[], text: string, before: Before): void {
    for (const word of this.#split(text, before !== 'text')) this.#words.push(ids, word);
  }

  leftOut(text: string, before: Before): readonly string[] {
    if (!this.#words.leavesOut(text)) return [];
    return this.#split(text, before !== 'text').flatMap(word => this.#words.leftOut(word));
  }

  reader(): SpellingReader {
    return new ByteLevelReader(this.#texts);
  }

  textOf(id: number): string | Uint8Array {
    return this.#texts.of(id);
  }

  leastTokens(text: string): number {
    if (losesText(this.#model)) return 0;
    return leastTokens(this.normalize(text).text, this.#model);
  }
}

/** What each piece reads like, worked out when it is first needed. */
class PieceTexts {
  readonly #pieces: ByteLevelModel['vocabulary']['pieces'];
  readonly #texts = new Map<number, string | Uint8Array>();

  constructor({ vocabulary, addedTokens }: ByteLevelModel, normalize: (content: string) => string) {
    this.#pieces = vocabulary.pieces;
    for (const { id, content, normalized } of addedTokens)
      this.#texts.set(id, normalized ? normalize(content) : content);
  }

  /** The text of a piece, or its bytes if these are no text. */
  of(id: number): string | Uint8Array {
    const known = this.#texts.get(id);
    if (known !== undefined) return known;
    const text = this.#read(id);
    this.#texts.set(id, text);
    return text;
  }

  #read(id: number): string | Uint8Array {
    const { text, type } = this.#pieces[id];
    const bytes = MERGING.has(type) ? spelledBytes(text) : undefined;
    if (bytes === undefined) return text;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return bytes;
    }
  }
}

class ByteLevelReader implements SpellingReader {
  readonly #texts: PieceTexts;
  readonly #utf8 = new Utf8Stream('part');

  constructor(texts: PieceTexts) {
    this.#texts = texts;
  }

  push(id: number): string {
    const piece = this.#texts.of(id);
    // A text begins with a whole character, which goes on from no other.
    if (typeof piece === 'string') return this.#utf8.flush() + piece;
    let text = '';
    for (const byte of piece) text += this.#utf8.push(byte);
    return text;
  }

  skip(): string {
    return '';
  }

  flush(): string {
    return this.#utf8.flush();
  }
}

/** A surrogate without its other half becomes U+FFFD. */
function toWellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Whether some visible text becomes no id at all. */
function losesText({ rule, vocabulary }: ByteLevelModel): boolean {
  const isLost = (id: number, byte: number) => id === -1 && byte > 0x20 && byte < 0xc0;
  return (
    rule.splits.some(({ behavior }) => behavior === 'Removed') || vocabulary.byteIds.some(isLost)
  );
}
