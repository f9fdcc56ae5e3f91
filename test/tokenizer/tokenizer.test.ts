import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, fromJson, fromMetaspace, fromModel as tokenizer } from './support.js';

/**
 * Unicode, hostile to tokenizers: spaces in runs, letters that merge, specials spelled out,
 * anything else.
 */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.string({
        unit: fc.constantFrom(' ', 'e', 'h', 'r', 't', 's', 'o', 'u', 'b', '\n'),
        maxLength: 20,
      }),
      fc.constantFrom(
        '<s>',
        '</s>',
        '<unk>',
        '<0x41>',
        '  ',
        ' the',
        '🌱',
        '\0',
        '\ufffd',
        'e\u0301',
      ),
    ),
    { maxLength: 6 },
  )
  .map(parts => parts.join(''));

describe('encode', () => {
  it('puts BOS and EOS where they are asked for, and nowhere else', () => {
    const ids = tokenizer.encode('the key');
    expect(ids).not.toContain(1);
    expect(tokenizer.encode('the key', { bos: true })).toEqual([1, ...ids]);
    expect(tokenizer.encode('the key', { eos: true })).toEqual([...ids, 2]);
    expect(tokenizer.encode('', { bos: true, eos: true })).toEqual([1, 2]);
    expect(tokenizer.encode('')).toEqual([]);
  });

  it('puts one space in front of a text, and none in front of its continuation', () => {
    expect(tokenizer.pieces(tokenizer.encode('the'))).toEqual(['▁the']);
    expect(tokenizer.pieces(tokenizer.encode(' the'))).toEqual(['▁', '▁the']);
    expect(tokenizer.pieces(tokenizer.encode('the', { continuation: true }))).toEqual(['t', 'he']);
    expect(tokenizer.pieces(tokenizer.encode(' the', { continuation: true }))).toEqual(['▁the']);
  });

  it('has no space in front of a space in the newer form of tokenizer.json', () => {
    expect(fromMetaspace.encode(' the')).toEqual(fromMetaspace.encode('the'));
    expect(fromMetaspace.encode('▁the')).toEqual(fromMetaspace.encode('the'));
    expect(fromMetaspace.pieces(fromMetaspace.encode('  the'))).toEqual(['▁', '▁the']);
  });

  it('spells characters without a piece in bytes, half a surrogate pair as U+FFFD', () => {
    expect(tokenizer.pieces(tokenizer.encode('🦙'))).toEqual([
      '▁',
      '<0xF0>',
      '<0x9F>',
      '<0xA6>',
      '<0x99>',
    ]);
    expect(tokenizer.pieces(tokenizer.encode('🌱'))).toEqual(['▁', '🌱']);
    for (const half of ['\ud83c', '\udf31', '\udf31\ud83c', 'a\ud83c', '\ud83cb']) {
      const repaired = half.replace(/[\ud800-\udfff]/g, '\ufffd');
      expect(tokenizer.encode(half)).toEqual(tokenizer.encode(repaired));
    }
  });

  it('gives ids of text alone, whatever the text says', () => {
    fc.assert(
      fc.property(hostile, text => {
        for (const id of tokenizer.encode(text)) {
          expect(id).toBeGreaterThan(2);
          expect(id).toBeLessThan(tokenizer.vocabSize);
        }
      }),
    );
  });

  it('gives the same ids whichever file the tokenizer comes from', () => {
    fc.assert(
      fc.property(hostile, text => {
        expect(fromJson.encode(text)).toEqual(tokenizer.encode(text));
      }),
    );
  });

  it('takes long texts of one character, which are one pair after the other', () => {
    for (const character of ['e', 'l', ' ', '🦙']) {
      const text = character.repeat(100_000);
      expect(tokenizer.decode(tokenizer.encode(text)) === text).toBe(true);
    }
  });
});

describe('decode', () => {
  it('gives the text back', () => {
    fc.assert(
      fc.property(hostile, text => {
        fc.pre(!text.includes('▁'));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
        expect(tokenizer.decode(tokenizer.encode(text, { bos: true, eos: true }))).toBe(text);
        const continued = tokenizer.encode(text, { continuation: true });
        expect(tokenizer.decode(continued, { continuation: true })).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('reads U+2581 as a space', () => {
    expect(tokenizer.encode('the▁key')).toEqual(tokenizer.encode('the key'));
    expect(tokenizer.decode(tokenizer.encode('the▁key'))).toBe('the key');
  });

  it('joins a text and its continuation', () => {
    fc.assert(
      fc.property(hostile, hostile, (text, more) => {
        fc.pre(text !== '' && !`${text}${more}`.includes('▁'));
        const ids = [
          ...tokenizer.encode(text, { bos: true }),
          ...tokenizer.encode(more, { continuation: true }),
        ];
        expect(tokenizer.decode(ids)).toBe(text + more);
      }),
    );
  });

  it('shows control and unknown pieces only if asked to', () => {
    const ids = [1, ...tokenizer.encode('the'), 0, 2];
    expect(tokenizer.decode(ids)).toBe('the');
    expect(tokenizer.decode(ids, { skipSpecial: false })).toBe('<s> the<unk></s>');
  });

  it.each([-1, 1.5, Number.NaN, Infinity])('refuses id %s', id => {
    const message = `token id ${id} is in no vocabulary`;
    expect(errorOf('BAD_INPUT', () => tokenizer.decode([260, id])).message).toMatch(message);
    expect(errorOf('BAD_INPUT', () => tokenizer.pieces([id])).message).toMatch(message);
  });

  it.each([331, 2 ** 40])('has no text for id %s, which only a padded vocabulary has', id => {
    const [start, end] = ['🦙', 'the'].map(text => tokenizer.encode(text));
    expect(tokenizer.decode([...start, id, ...end])).toBe('🦙 the');
    const inCharacter = [...start.slice(0, 3), id, ...start.slice(3)];
    expect(tokenizer.decode(inCharacter)).toBe('🦙');
    expect(tokenizer.decode([id], { skipSpecial: false })).toBe('');
    expect(tokenizer.pieces([id])).toEqual(['']);
  });
});
