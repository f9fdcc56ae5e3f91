import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Utf8Stream } from '../../../src/tokenizer/decode/utf8-stream.js';
import { fromModel as tokenizer } from '../support.js';

/** The pieces of text that come for `ids`, the flush last. */
function stream(ids: readonly number[]): string[] {
  const decoder = tokenizer.streamDecoder();
  return [...ids.map(id => decoder.push(id)), decoder.flush()];
}

const byteId = (byte: number) => byte + 3;
const utf8 = (text: string) => [...new TextEncoder().encode(text)];
const word = tokenizer.encode('the')[0];

const anyIds = fc
  .array(
    fc.oneof(
      fc.array(fc.integer({ min: 0, max: 330 }), { maxLength: 4 }),
      fc.array(fc.integer({ min: 0x80, max: 0xff }).map(byteId), { maxLength: 5 }),
      fc.string({ unit: 'binary', maxLength: 2 }).map(text => utf8(text).map(byteId)),
      fc.constantFrom([1], [2], [word], tokenizer.encode(' ')),
    ),
    { maxLength: 8 },
  )
  .map(parts => parts.flat());

describe('StreamDecoder', () => {
  it('holds bytes back until they are a character', () => {
    expect(stream(utf8('🦙').map(byteId))).toEqual(['', '', '', '🦙', '']);
    expect(stream([...utf8('🦙').slice(0, 3).map(byteId), word])).toEqual([
      '',
      '',
      '',
      '\ufffd\ufffd\ufffd the',
      '',
    ]);
    expect(stream(utf8('é').slice(0, 1).map(byteId))).toEqual(['', '\ufffd']);
  });

  it('drops the first space of the text, and no other', () => {
    expect(stream([1, word, word])).toEqual(['', 'the', ' the', '']);
    expect(stream([byteId(0x20), word])).toEqual([' ', ' the', '']);
    const continued = tokenizer.streamDecoder({ continuation: true });
    expect(continued.push(word)).toBe(' the');
  });

  it('gives, joined, what decoding all ids at once does by the rules', () => {
    fc.assert(
      fc.property(anyIds, ids => {
        expect(stream(ids).join('')).toBe(tokenizer.decode(ids));
        expect(stream(ids).join('')).toBe(decodeAtOnce(ids));
      }),
      { numRuns: 2000 },
    );
  });

  it('never gives half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), text => {
        for (const part of stream(utf8(text).map(byteId)))
          expect(part).not.toMatch(/[\ud800-\udfff]/u);
      }),
    );
  });
});

/**
 * The same rules on the whole list: runs of bytes by TextDecoder where they are UTF-8, else byte by
 * byte.
 */
function decodeAtOnce(ids: readonly number[]): string {
  let text = '';
  let run: number[] = [];
  let isFirst = true;
  for (const id of [...ids, 2]) {
    if (id >= 3 && id < 259) run.push(id - 3);
    else {
      text += decodeRun(run);
      isFirst &&= run.length === 0;
      run = [];
      if (id <= 2) continue;
      const [piece] = tokenizer.pieces([id]);
      text += (isFirst ? piece.replace(/^▁/, '') : piece).replaceAll('▁', ' ');
      isFirst = false;
    }
  }
  return text;
}

function decodeRun(bytes: readonly number[]): string {
  if (bytes.length === 0) return '';
  for (let length = 4; length > 0; length--) {
    const character = decodeCharacter(bytes.slice(0, length));
    if (character !== undefined) return character + decodeRun(bytes.slice(length));
  }
  return `\ufffd${decodeRun(bytes.slice(1))}`;
}

function decodeCharacter(bytes: readonly number[]): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes),
    );
    return [...text].length === 1 ? text : undefined;
  } catch {
    return undefined;
  }
}

describe('Utf8Stream', () => {
  it('reads every character of Unicode', () => {
    const bytes = new Utf8Stream('byte');
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += codePoint < 0x3000 ? 1 : 61) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
      const text = String.fromCodePoint(codePoint);
      let read = '';
      for (const byte of utf8(text)) read += bytes.push(byte);
      if (read !== text)
        throw new Error(`U+${codePoint.toString(16)} is read as ${JSON.stringify(read)}`);
    }
    expect(bytes.flush()).toBe('');
  });

  it('has one U+FFFD for each byte of anything else', () => {
    for (const bad of [
      'c080',
      'c1bf',
      'e08080',
      'e09fbf',
      'eda080',
      'edbfbf',
      'f08fbfbf',
      'f4908080',
      'f5808080',
      'ff',
      '80',
      'e282',
    ]) {
      const bytes = new Utf8Stream('byte');
      const pairs = bad.match(/../g)!;
      const text =
        pairs.map(pair => bytes.push(Number.parseInt(pair, 16))).join('') + bytes.flush();
      expect(text, bad).toBe('\ufffd'.repeat(pairs.length));
    }
  });
});
