/**
 * UTF-8 (RFC 3629 §4), one byte at a time. What cannot belong to a character becomes U+FFFD: one
 * for each byte, as SentencePiece decodes; or one for all the bytes that are there of a character
 * cut off, as TextDecoder and Rust do (Unicode 3.9, "maximal subpart").
 */
const REPLACEMENT = '\ufffd';

/** What one U+FFFD stands for. */
export type Unreadable = 'byte' | 'part';

export class Utf8Stream {
  readonly #unreadable: Unreadable;
  /** The beginning of a character. */
  #pending: number[] = [];

  constructor(unreadable: Unreadable) {
    this.#unreadable = unreadable;
  }

  /**
   * Takes a byte (0 … 255); gives the text that is certain now: '' as long as the character is not
   * complete.
   */
  push(byte: number): string {
    this.#pending.push(byte);
    let text = '';
    while (this.#pending.length > 0 && !isBeginning(this.#pending)) text += this.#giveUp();
    if (this.#pending.length > 0 && this.#pending.length === lengthOf(this.#pending[0])) {
      text += String.fromCodePoint(codePoint(this.#pending));
      this.#pending = [];
    }
    return text;
  }

  /** The bytes are over, or interrupted: U+FFFD for what still waits. */
  flush(): string {
    const { length } = this.#pending;
    this.#pending = [];
    return REPLACEMENT.repeat(this.#unreadable === 'byte' ? length : Math.min(length, 1));
  }

  /** The last byte does not go with those before it: U+FFFD for the first, or for all of them. */
  #giveUp(): string {
    const count = this.#unreadable === 'byte' ? 1 : Math.max(1, this.#pending.length - 1);
    this.#pending.splice(0, count);
    return REPLACEMENT;
  }
}

/** How many bytes a character has that begins with `first`; 0 if none does. */
function lengthOf(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

function isBeginning(bytes: readonly number[]): boolean {
  const [first, second] = bytes;
  if (bytes.length > lengthOf(first)) return false;
  if (second !== undefined && !isSecond(first, second)) return false;
  return bytes.slice(2).every(isContinuation);
}

/** Excludes what fewer bytes could say, the surrogates, and what lies above U+10FFFF. */
function isSecond(first: number, second: number): boolean {
  if (first === 0xe0) return second >= 0xa0 && second < 0xc0;
  if (first === 0xed) return second >= 0x80 && second < 0xa0;
  if (first === 0xf0) return second >= 0x90 && second < 0xc0;
  if (first === 0xf4) return second >= 0x80 && second < 0x90;
  return isContinuation(second);
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

function codePoint([first, ...others]: readonly number[]): number {
  const ofFirst = others.length === 0 ? first : first & (0x3f >> others.length);
  return others.reduce((value, byte) => (value << 6) | (byte & 0x3f), ofFirst);
}
