/**
 * UTF-8 (RFC 3629 §4), one byte at a time. A byte that cannot belong to a character becomes one
 * U+FFFD, as SentencePiece decodes; TextDecoder has one U+FFFD for several bytes of a character cut
 * off, and Hugging Face one for each byte of the whole run.
 */
const REPLACEMENT = '\ufffd';

export class Utf8Stream {
  /** The beginning of a character. */
  #pending: number[] = [];

  /**
   * Takes a byte (0 … 255); gives the text that is certain now: '' as long as the character is not
   * complete.
   */
  push(byte: number): string {
    this.#pending.push(byte);
    let text = '';
    while (this.#pending.length > 0 && !isBeginning(this.#pending)) {
      text += REPLACEMENT;
      this.#pending.shift();
    }
    if (this.#pending.length > 0 && this.#pending.length === lengthOf(this.#pending[0])) {
      text += String.fromCodePoint(codePoint(this.#pending));
      this.#pending = [];
    }
    return text;
  }

  /** The bytes are over, or interrupted: U+FFFD for each one that still waits. */
  flush(): string {
    const text = REPLACEMENT.repeat(this.#pending.length);
    this.#pending = [];
    return text;
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
