import { describe, expect, it } from 'vitest';
import { AddedTokenFinder } from '../../src/tokenizer/encode/added-token-finder.js';
import { readSentencePieceModel, Tokenizer } from '../../src/tokenizer/index.js';
import { type AddedToken, plainToken } from '../../src/tokenizer/model/added-tokens.js';
import { bytes, modelFile, number, piece, pieces, TYPE } from './support.js';

const NORMAL = { '▁': -1, a: -2, b: -3, ab: -4 };

function open(more: number[], trainer = [...number(3, 2), ...number(35, 1)]): Tokenizer {
  const file = modelFile({ pieces: [...pieces(NORMAL), ...more], trainer });
  return new Tokenizer(readSentencePieceModel(file));
}

/** What `split` gives, tokens as their ids. */
function split(text: string, tokens: Partial<AddedToken>[], special = true): (string | number)[] {
  const list = tokens.map((token, id) => ({ ...plainToken(id, '', false), ...token }));
  const finder = new AddedTokenFinder(list, content => content);
  return finder
    .split(text, special)
    .map(part => (part.token === undefined ? part.text : part.token.id));
}

describe('a tokenizer.model', () => {
  it('finds user-defined pieces as wholes, before bytes and merges, and shows them', () => {
    const tokenizer = open(piece('<think>', 0, TYPE.userDefined));
    const ids = tokenizer.encode('a<think>b');
    expect(tokenizer.pieces(ids)).toEqual(['▁', 'a', '<think>', '▁', 'b']);
    expect(tokenizer.decode(ids)).toBe('a<think> b');
    expect(tokenizer.addedTokens).toMatchObject([{ content: '<think>', special: false }]);
  });

  it('finds control pieces only if special tokens are asked for', () => {
    const tokenizer = open([]);
    expect(tokenizer.encode('<s>a', { special: true })).toEqual([1, ...tokenizer.encode('a')]);
    expect(tokenizer.encode('<s>a', { special: 'added' })).toEqual(tokenizer.encode('<s>a'));
  });

  it('takes unused pieces for text, and padding among them for no piece', () => {
    const padding = piece('[PAD264]', 0, TYPE.unused);
    const tokenizer = open([...piece('ba', -9, TYPE.unused), ...padding]);
    expect(tokenizer.pieces(tokenizer.encode('ba'))).toEqual(['▁', 'ba']);
    expect(tokenizer.vocabSize).toBe(264);
  });

  it('without byte fallback has one unknown token for a run of unknown characters', () => {
    const list = [...bytes(1, []), ...pieces(NORMAL)].slice(2);
    const file = modelFile({ pieces: list, trainer: number(3, 2) });
    const tokenizer = new Tokenizer(readSentencePieceModel(file));
    expect(tokenizer.pieces(tokenizer.encode('axyb🦙'))).toEqual([
      ...['▁', 'a', '<unk>', 'b', '<unk>'],
    ]);
  });

  it('without BOS refuses to put it in front', () => {
    const tokenizer = open([], [...number(3, 2), ...number(35, 1), ...number(41, -1)]);
    expect(() => tokenizer.encode('a', { bos: true })).toThrow('bos_token');
  });
});

describe('AddedTokenFinder', () => {
  it('takes the leftmost, then the longest', () => {
    expect(split('xabcx', [{ content: 'ab' }, { content: 'abc' }, { content: 'bcx' }])).toEqual([
      ...['x', 1, 'x'],
    ]);
  });

  it('passes over special tokens as wholes where they are text', () => {
    const tokens = [{ content: '<s>', special: true }, { content: 's>x' }];
    expect(split('<s>x', tokens, true)).toEqual([0, 'x']);
    expect(split('<s>x', tokens, false)).toEqual(['<s>x']);
  });

  it.each(['_', '1', 'é', '\u0301', '\u200d', '𝕜'])('a single word is none beside %j', letter => {
    const tokens = [{ content: 'word', singleWord: true }];
    expect(split(`word${letter}`, tokens)).toEqual([`word${letter}`]);
    expect(split(`${letter}word`, tokens)).toEqual([`${letter}word`]);
    expect(split('🦙word-', tokens)).toEqual(['🦙', 0, '-']);
  });

  it('takes the white space beside it along, and none twice', () => {
    const tokens = [{ content: 'x', lstrip: true, rstrip: true }];
    expect(split('a \u3000x\n\u00a0b', tokens)).toEqual(['a', 0, 'b']);
    expect(split(' x  x ', tokens)).toEqual([0, 0]);
    expect(split('', tokens)).toEqual([]);
  });
});
