/**
 * The ids of a word: its UTF-8 bytes, merged. Words come again, and so their ids are kept: English
 * is then cut and looked up, and hardly merged.
 */
import { mergeSymbols } from '../encode/bpe.js';
import { spellBytes } from '../model/byte-alphabet.js';
import { MERGING } from '../model/merge-table.js';
import type { ByteLevelModel } from '../model/tokenizer-model.js';

/** What `mergeSymbols` is given for a byte that has no piece. */
const NO_PIECE = -1;

/** Of words that are kept: in UTF-16 units. V8 would keep the whole text for a longer slice. */
const MAX_KEPT_LENGTH = 12;

/** When there are so many, they are all forgotten: some 10 MB. */
const MAX_KEPT_WORDS = 1 << 16;

export class WordEncoder {
  readonly #model: ByteLevelModel;
  readonly #kept = new Map<string, readonly number[]>();
  readonly #utf8 = new TextEncoder();

  constructor(model: ByteLevelModel) {
    this.#model = model;
  }

  /** Appends the ids of `word`. */
  push(ids: number[], word: string): void {
    if (word.length > MAX_KEPT_LENGTH) {
      this.#merge(ids, word);
      return;
    }
    let own = this.#kept.get(word);
    if (own === undefined) {
      own = this.#merge([], word);
      if (this.#kept.size >= MAX_KEPT_WORDS) this.#kept.clear();
      this.#kept.set(word, own);
    }
    for (const id of own) ids.push(id);
  }

  /** Whether some byte of `text` has no piece, and none stands for it. */
  leavesOut(text: string): boolean {
    const { byteIds, unkId } = this.#model.vocabulary;
    return unkId === undefined && this.#utf8.encode(text).some(byte => byteIds[byte] === -1);
  }

  /** The characters of `word` with a byte that `push` leaves out. */
  leftOut(word: string): string[] {
    if (this.#wholePiece(this.#utf8.encode(word)) !== undefined) return [];
    return Array.from(word).filter(character => this.leavesOut(character));
  }

  #merge(ids: number[], word: string): number[] {
    const bytes = this.#utf8.encode(word);
    const whole = this.#wholePiece(bytes);
    if (whole !== undefined) ids.push(whole);
    else this.#pushMerged(ids, this.#symbols(bytes));
    return ids;
  }

  #pushMerged(ids: number[], symbols: Int32Array): void {
    const { merges, vocabulary, fusesUnknown } = this.#model;
    let afterUnknown = false;
    for (const symbol of mergeSymbols(symbols, merges)) {
      const isUnknown = symbol === NO_PIECE;
      if (!isUnknown) ids.push(symbol);
      else if (!afterUnknown || fusesUnknown === false) ids.push(vocabulary.unkId!);
      afterUnknown = isUnknown;
    }
  }

  /** The piece that a word is without merging, if the rule says so; text, not a sign. */
  #wholePiece(bytes: Uint8Array): number | undefined {
    const { rule, vocabulary } = this.#model;
    if (!rule.ignoreMerges) return undefined;
    const id = vocabulary.idOf(spellBytes(bytes));
    return id !== undefined && MERGING.has(vocabulary.pieces[id].type) ? id : undefined;
  }

  /**
   * Bytes that have no piece are left out if there is no unknown piece, as in `tokenizers` and
   * llama.cpp: of SmolLM2's, six control characters and part of what is beyond U+40000.
   */
  #symbols(bytes: Uint8Array): Int32Array {
    const { byteIds, unkId } = this.#model.vocabulary;
    const symbols = new Int32Array(bytes.length);
    let count = 0;
    for (const byte of bytes) {
      const id = byteIds[byte];
      if (id !== -1) symbols[count++] = id;
      else if (unkId !== undefined) symbols[count++] = NO_PIECE;
    }
    return symbols.subarray(0, count);
  }
}
