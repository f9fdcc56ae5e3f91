/**
 * The pieces of a tokenizer, checked: what tokenizer.model, tokenizer.json and GGUF agree on.
 *
 * The id of a piece is its place in the list. Pieces of characters have others beside them for each
 * of the 256 bytes, `<0x00>` … `<0xFF>`, for characters that have none; or, without these, the
 * unknown piece for all of them. Pieces of bytes are written in GPT-2's alphabet
 * (`byte-alphabet.ts`). Not here: which pieces merge (`merge-table.ts`).
 */
import { check, show } from '../../base/errors.js';
import { characterOfByte } from './byte-alphabet.js';

/**
 * `control` pieces (BOS, EOS, padding) and `unknown` have no text of their own. `user-defined` ones
 * are found in a text as wholes. `unused` ones are like normal ones to transformers and llama.cpp;
 * SentencePiece takes them apart again. `absent` is an id without a piece: a gap in the list.
 */
export type PieceType =
  | 'normal'
  | 'unknown'
  | 'control'
  | 'user-defined'
  | 'unused'
  | 'byte'
  | 'absent';

/** A piece of a vocabulary. */
export interface Piece {
  /** With U+2581 "▁" for a space; or, of bytes, in GPT-2's alphabet, which has "Ġ" for it. */
  readonly text: string;
  readonly type: PieceType;
}

export const ABSENT: Piece = { text: '', type: 'absent' };

/** What some ids are for; undefined if there is no such piece. */
export interface SpecialIds {
  readonly unkId: number | undefined;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
}

/**
 * Which pieces bytes have: none; `<0x00>` … `<0xFF>`, for characters without a piece; or those of
 * the alphabet of bytes, of which there may be fewer than 256.
 */
export type BytePieces = 'none' | 'fallback' | 'alphabet';

/**
 * In UTF-16 units, of pieces of characters. SentencePiece learns pieces of 16 characters at most;
 * the limit keeps damaged files from taking hours.
 */
const MAX_PIECE_LENGTH = 256;

export class Vocabulary {
  readonly pieces: readonly Piece[];
  /** Of characters that have neither a piece nor bytes; undefined if there is no such piece. */
  readonly unkId: number | undefined;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /**
   * byteIds[b] is the id of the piece for byte b, −1 if there is none; empty if characters are not
   * spelled in bytes.
   */
  readonly byteIds: readonly number[];
  readonly #bytes: BytePieces;
  readonly #ids = new Map<string, number>();

  /**
   * @throws {LlamaError} BAD_TOKENIZER unless every piece has its own text, there is one piece for
   * each byte or none is needed, `ids` are pieces, and unkId is the only unknown one.
   */
  constructor(pieces: readonly Piece[], ids: SpecialIds, bytes: BytePieces = 'fallback') {
    this.pieces = pieces;
    this.unkId = ids.unkId;
    this.bosId = ids.bosId;
    this.eosId = ids.eosId;
    this.#bytes = bytes;
    this.#checkTexts();
    this.byteIds = this.#findBytes();
    this.#checkSpecials();
    if (bytes !== 'alphabet') this.#checkBytes();
  }

  /** The id of the piece `text`, of whatever type; undefined if there is none. */
  idOf(text: string): number | undefined {
    return this.#ids.get(text);
  }

  /** Other pieces, spelled in bytes as these are. */
  with(pieces: readonly Piece[], ids: SpecialIds): Vocabulary {
    return new Vocabulary(pieces, ids, this.#bytes);
  }

  /** By byte: the id of its piece, −1 if there is none. */
  #findBytes(): number[] {
    if (this.#bytes === 'none') return [];
    const isAlphabet = this.#bytes === 'alphabet';
    return Array.from({ length: 256 }, (_, byte) => {
      const id = this.idOf(isAlphabet ? characterOfByte(byte) : bytePiece(byte)) ?? -1;
      const isByte = isAlphabet || this.pieces[id]?.type === 'byte';
      return isByte ? id : -1;
    });
  }

  #checkTexts(): void {
    this.pieces.forEach(({ text, type }, id) => {
      if (type === 'absent') return;
      const isLimited = this.#bytes !== 'alphabet' && (type === 'normal' || type === 'unused');
      const limit = isLimited ? MAX_PIECE_LENGTH : Infinity;
      check(text.length > 0 && text.length <= limit, 'BAD_TOKENIZER', () => {
        return `piece ${id} is ${text.length} characters long; 1 to ${limit} are allowed`;
      });
      check(
        !this.#ids.has(text),
        'BAD_TOKENIZER',
        () => `piece ${id} is ${show(text)}, and so is one before it`,
      );
      this.#ids.set(text, id);
    });
  }

  #checkSpecials(): void {
    const { pieces, unkId } = this;
    for (const [name, id] of Object.entries({ bos: this.bosId, eos: this.eosId })) {
      const isRight = id === undefined || isPresent(pieces[id]);
      check(isRight, 'BAD_TOKENIZER', () => `the ${name} id is ${id}, which is no piece`);
    }
    check(unkId === undefined || pieces[unkId]?.type === 'unknown', 'BAD_TOKENIZER', () => {
      return (
        `the unk id is ${unkId}, which is ${pieces[unkId!]?.type ?? 'no piece'}; it must be a ` +
        'piece of type unknown'
      );
    });
    check(unkId !== undefined || this.byteIds.length > 0, 'BAD_TOKENIZER', () => {
      return (
        'it has no unknown piece, and no pieces for bytes: characters without a piece would be ' +
        'lost'
      );
    });
    const unknown = pieces.findIndex(({ type }, id) => type === 'unknown' && id !== unkId);
    check(unknown === -1, 'BAD_TOKENIZER', () => {
      return `pieces ${unkId} and ${unknown} are both of type unknown; there must be one`;
    });
  }

  #checkBytes(): void {
    const missing = this.byteIds.indexOf(-1);
    check(
      missing === -1,
      'BAD_TOKENIZER',
      () => `no piece is ${bytePiece(missing)}; all 256 bytes must have one`,
    );
    const bad = this.pieces.findIndex(
      piece => piece.type === 'byte' && byteOf(piece) === undefined,
    );
    check(
      bad === -1,
      'BAD_TOKENIZER',
      () =>
        `piece ${bad} is of type byte, but reads ${show(this.pieces[bad].text)}, not <0x00> … ` +
        '<0xFF>',
    );
  }
}

function isPresent(piece: Piece | undefined): boolean {
  return piece !== undefined && piece.type !== 'absent';
}

/** 0 … 255 for a byte piece; undefined for any other. */
export function byteOf({ text, type }: Piece): number | undefined {
  if (type !== 'byte' || !isBytePiece(text)) return undefined;
  return Number.parseInt(text.slice(3, 5), 16);
}

export function isBytePiece(text: string): boolean {
  return /^<0x[0-9A-F]{2}>$/.test(text);
}

function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** @throws {LlamaError} BAD_INPUT for what no vocabulary has. */
export function checkId(id: number): void {
  check(Number.isInteger(id) && id >= 0, 'BAD_INPUT', () => {
    return `token id ${id} is in no vocabulary; ids are 0, 1, 2, …`;
  });
}
