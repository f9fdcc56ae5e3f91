/** What byte-level tokenizers do with texts and ids that are difficult. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteLevelSpelling } from '../../../src/tokenizer/byte-level/spelling.js';
import { WordEncoder } from '../../../src/tokenizer/byte-level/words.js';
import { readTokenizerJson } from '../../../src/tokenizer/json/tokenizer-json.js';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { jsonOf, modelOf, NAMES } from './support.js';

const [gpt2, smollm2, llama3, rest] = ['gpt2', 'smollm2', 'llama3', 'rest'].map(
  name => new Tokenizer(modelOf(name)),
);

/** The pieces of text that come for `ids`, the flush last. */
function stream(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const decoder = tokenizer.streamDecoder();
  return [...ids.map(id => decoder.push(id)), decoder.flush()];
}

const idsOf = (tokenizer: Tokenizer, ...pieces: string[]) =>
  pieces.map(piece => tokenizer.idOf(piece)!);

describe('encoding', () => {
  it('gives the text back, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
        expect(gpt2.decode(gpt2.encode(text))).toBe(text);
        expect(llama3.decode(llama3.encode(text))).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads half a surrogate pair as U+FFFD', () => {
    for (const half of ['\ud83c', '\udf31', '\udf31\ud83c', 'a\ud83c', '\ud83cb', "'\ud83cs"])
      expect(gpt2.encode(half)).toEqual(gpt2.encode(half.replace(/[\ud800-\udfff]/g, '\ufffd')));
    const { text } = new ByteLevelSpelling(modelOf('gpt2')).normalize('\udf31🌱\ud83c');
    expect(text).toBe('\ufffd🌱\ufffd'); // a symbol, which half a pair is not
  });

  it('has no ids for no text, but for BOS and EOS', () => {
    for (const name of NAMES) expect(new Tokenizer(modelOf(name)).encode('')).toEqual([]);
    expect(llama3.encode('', { bos: true })).toEqual(idsOf(llama3, '<|start|>'));
  });

  it('takes texts of special tokens alone', () => {
    const ids = idsOf(llama3, '<|start|>', '<|end|>', '<|end|>');
    expect(llama3.encode('<|start|><|end|><|end|>', { special: true })).toEqual(ids);
    expect(llama3.decode(ids)).toBe('');
    expect(llama3.decode(ids, { skipSpecial: false })).toBe('<|start|><|end|><|end|>');
  });

  it('takes a part that is a piece as it is, though no merge makes it', () => {
    const model = modelOf('llama3');
    const merging = new Tokenizer({ ...model, rule: { ...model.rule, ignoreMerges: false } });
    const whole = model.vocabulary.pieces.flatMap(({ text, type }, id) => {
      const word = llama3.decode([id]);
      const isWord = type === 'normal' && /^ ?[a-zA-Z]{2,}$/.test(word);
      return isWord && merging.encode(word).length > 1 ? [{ text, word }] : [];
    });
    expect(whole.length).toBeGreaterThan(5);
    for (const { text, word } of whole) expect(llama3.pieces(llama3.encode(word))).toEqual([text]);
  });

  it('leaves bytes out that have no piece, as tokenizers does, or has the unknown piece', () => {
    expect(smollm2.encode('\x04')).toEqual([]);
    expect(smollm2.encode('the\x04the')).toEqual(smollm2.encode('thethe'));
    expect(rest.pieces(rest.encode('\x04\x05'))).toContain('[UNK]');
  });

  it('says which characters lose bytes, each once', () => {
    const text = 'the\x04 \u{40000}é\x04';
    expect(smollm2.leftOut(text)).toEqual(['\x04', '\u{40000}']);
    expect(smollm2.leftOut('the é 🦙\t')).toEqual([]);
    expect(rest.leftOut(text)).toEqual([]); // [UNK] stands for them
    expect(llama3.leftOut(text)).toEqual([]);
  });

  it('says so of every text whose bytes the ids do not give back, and of no other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
        const isWhole = smollm2.decode(smollm2.encode(text)) === text;
        expect(smollm2.leftOut(text).length === 0).toBe(isWhole);
      }),
      { numRuns: 500, examples: [['\x04'], ['\u{4ffff}']] },
    );
  });

  it('loses nothing of a word that is a piece, though its bytes have none', () => {
    const model = modelOf('llama3');
    const pieces = model.vocabulary.pieces.map(piece => {
      if (piece.text === 'Ą') return { ...piece, text: 'none' }; // U+0104 stands for 0x04
      return piece.text === 'Ġthe' ? { ...piece, text: 'ĠĄ' } : piece;
    });
    const none = { unkId: undefined, bosId: undefined, eosId: undefined };
    const vocabulary = model.vocabulary.with(pieces, none);
    const own = new Tokenizer({ ...model, vocabulary, addedTokens: [] });
    expect(own.pieces(own.encode(' \x04'))).toEqual(['ĠĄ']);
    expect(own.leftOut(' \x04')).toEqual([]);
    expect(own.leftOut('  \x04\x04')).toEqual(['\x04']);
  });

  it('puts a space in front of a text, and none in front of its continuation', () => {
    expect(rest.pieces(rest.encode('dog'))[0]).toMatch(/^Ġ/);
    expect(rest.pieces(rest.encode('dog', { continuation: true }))[0]).toMatch(/^d/);
    expect(rest.encode(' dog')).toEqual(rest.encode('dog'));
    // Each part that is cut before gets one, but for the first.
    const continued = rest.pieces(rest.encode('dog1dog', { continuation: true })).join('');
    expect([continued, rest.pieces(rest.encode('dog1dog')).join('')]).toEqual([
      ...['dogĠ1Ġdog', 'ĠdogĠ1Ġdog'],
    ]);
    expect(gpt2.encode('dog', { continuation: true })).toEqual(gpt2.encode('dog'));
  });

  it('finds no added token in a stretch that is literal', () => {
    const text = 'a<|end|>b<|end|>';
    const literal = [{ start: 1, end: 8 }];
    const [end] = idsOf(llama3, '<|end|>');
    const ids = llama3.encode(text, { special: true, literal });
    expect(ids.filter(id => id === end)).toHaveLength(1);
    expect(ids.at(-1)).toBe(end);
    // NFC has moved places: all of the stretch is literal then.
    const word = idsOf(rest, 'word')[0];
    expect(rest.encode('e\u0301 word')).toContain(word);
    expect(rest.encode('e\u0301 word', { literal: [{ start: 0, end: 1 }] })).not.toContain(word);
    expect(rest.encode('é word', { literal: [{ start: 0, end: 1 }] })).toContain(word);
  });
});

describe('words that are kept', () => {
  it('have the same ids when they come again, and when others have driven them out', () => {
    const words = new WordEncoder(modelOf('gpt2'));
    const plain = new ByteLevelSpelling(modelOf('gpt2'));
    const encode = (word: string) => {
      const [kept, own]: [number[], number[]] = [[], []];
      words.push(kept, word);
      plain.pushIds(own, word, 'nothing');
      return [kept, own];
    };
    const [first] = encode(' the');
    for (let i = 0; i < 70_000; i++) words.push([], `w${i}`);
    for (const word of [' the', 'w0', 'w69999', 'a'.repeat(12), 'a'.repeat(13)]) {
      const [kept, own] = encode(word);
      expect(kept).toEqual(own);
      expect(encode(word)[0]).toEqual(kept);
    }
    expect(encode(' the')[0]).toEqual(first);
  });
});

describe('decoding', () => {
  it('holds bytes back until they are a character', () => {
    const ids = idsOf(gpt2, 'ð', 'Ł', '¦', 'Ļ');
    expect(gpt2.decode(ids)).toMatch(/^.$/u);
    expect(stream(gpt2, ids).slice(0, 3)).toEqual(['', '', '']);
  });

  it('has one U+FFFD for all the bytes there are of a character', () => {
    expect(gpt2.decode(idsOf(gpt2, 'ð', 'Ł', '¦'))).toBe('\ufffd');
    expect(gpt2.decode(idsOf(gpt2, 'ð', 'Ł', 'a'))).toBe('\ufffda');
    expect(gpt2.decode(idsOf(gpt2, 'ÿ', 'þ', 'À'))).toBe('\ufffd\ufffd\ufffd');
    expect(stream(gpt2, idsOf(gpt2, 'ð', 'a'))).toEqual(['', '\ufffda', '']);
    expect(stream(gpt2, idsOf(gpt2, 'ð'))).toEqual(['', '\ufffd']);
  });

  it('is what TextDecoder makes of all the bytes at once', () => {
    const bytes = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(0xf0, 0x9f, 0xe2, 0x82, 0xed, 0xf4),
      ),
      { maxLength: 12 },
    );
    const { byteIds } = modelOf('gpt2').vocabulary;
    fc.assert(
      fc.property(bytes, each => {
        const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(each));
        const ids = each.map(byte => byteIds[byte]);
        expect(gpt2.decode(ids)).toBe(text);
        expect(stream(gpt2, ids).join('')).toBe(text);
      }),
      { numRuns: 3000 },
    );
  });

  it('joins bytes over a special token that is left out, and not over one that is not', () => {
    const [first, second, end] = idsOf(gpt2, 'Ã', '©', '<|end|>');
    expect(gpt2.decode([first, end, second])).toBe('é');
    expect(gpt2.decode([first, end, second], { skipSpecial: false })).toBe('\ufffd<|end|>\ufffd');
  });

  it('has the text of an added token, also where its characters could be bytes', () => {
    const file = JSON.parse(jsonOf('gpt2'));
    file.added_tokens.push({ id: 600, content: 'naïve', special: false, normalized: false });
    const tokenizer = new Tokenizer(readTokenizerJson(JSON.stringify(file)));
    expect(tokenizer.encode('a naïve')).toContain(600);
    expect(tokenizer.decode(tokenizer.encode('a naïve'))).toBe('a naïve');
  });

  it('has no text for an id that the tokenizer does not have', () => {
    expect(gpt2.decode([...idsOf(gpt2, 'Ã'), 600, ...idsOf(gpt2, '©')])).toBe('é');
    expect(gpt2.pieces([600, 2 ** 40])).toEqual(['', '']);
  });
});
