/**
 * The pieces of a tokenizer, checked: what tokenizer.model, tokenizer.json and GGUF agree on.
 *
 * The id of a piece is its place in the list. Only normal pieces are made of text. Each of the 256
 * bytes has a piece, `<0x00>` … `<0xFF>`, for characters that have none. Not here: which pieces
 * merge (`merge-table.ts`).
 */
import { check, show } from '../base/errors.js';

/** `control` pieces (BOS, EOS, padding) and `unknown` have no text of their own. */
export type PieceType = 'normal' | 'unknown' | 'control' | 'byte';

export interface Piece {
  /** With U+2581 "▁" for a space. */
  readonly text: string;
  readonly type: PieceType;
}

/**
 * In UTF-16 units. SentencePiece learns pieces of 16 characters at most; the limit keeps damaged
 * files from taking hours.
 */
const MAX_PIECE_LENGTH = 256;

export class Vocabulary {
  readonly pieces: readonly Piece[];
  readonly unkId: number;
  readonly bosId: number;
  readonly eosId: number;
  /** byteIds[b] is the id of the piece for byte b. */
  readonly byteIds: readonly number[];
  readonly #normalIds = new Map<string, number>();

  /**
   * @throws {LlamaError} BAD_TOKENIZER unless every normal piece has its own text, there is one
   * piece for each byte, bosId and eosId are control pieces, and unkId is the only unknown piece.
   */
  constructor(pieces: readonly Piece[], ids: { unkId: number; bosId: number; eosId: number }) {
    this.pieces = pieces;
    this.unkId = ids.unkId;
    this.bosId = ids.bosId;
    this.eosId = ids.eosId;
    this.byteIds = findBytes(pieces);
    this.#checkTexts();
    this.#checkSpecials();
    this.#checkBytes();
  }

  /** The id of the normal piece `text`; undefined if there is none. */
  idOf(text: string): number | undefined {
    return this.#normalIds.get(text);
  }

  #checkTexts(): void {
    const seen = new Set<string>();
    this.pieces.forEach(({ text, type }, id) => {
      check(text.length > 0 && text.length <= MAX_PIECE_LENGTH, 'BAD_TOKENIZER', () => {
        const length = `${text.length} characters long`;
        return `piece ${id} is ${length}; 1 to ${MAX_PIECE_LENGTH} are allowed`;
      });
      check(
        !seen.has(text),
        'BAD_TOKENIZER',
        () => `piece ${id} is ${show(text)}, and so is one before it`,
      );
      seen.add(text);
      if (type === 'normal') this.#normalIds.set(text, id);
    });
  }

  #checkSpecials(): void {
    const { pieces, unkId, bosId, eosId } = this;
    for (const [name, id, type] of [
      ['unk', unkId, 'unknown'],
      ['bos', bosId, 'control'],
      ['eos', eosId, 'control'],
    ] as const) {
      check(pieces[id]?.type === type, 'BAD_TOKENIZER', () => {
        return (
          `the ${name} id is ${id}, which is ${pieces[id]?.type ?? 'no piece'}; a Llama ` +
          `tokenizer has a piece of type ${type} there`
        );
      });
    }
    const unknown = pieces.findIndex(({ type }, id) => type === 'unknown' && id !== unkId);
    check(
      unknown === -1,
      'BAD_TOKENIZER',
      () => `pieces ${unkId} and ${unknown} are both of type unknown; there must be one`,
    );
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

/** By byte: the id of its piece, −1 if there is none. */
function findBytes(pieces: readonly Piece[]): number[] {
  const ids = new Array<number>(256).fill(-1);
  pieces.forEach((piece, id) => {
    const byte = byteOf(piece);
    if (byte !== undefined) ids[byte] = id;
  });
  return ids;
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
