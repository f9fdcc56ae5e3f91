import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { readSentencePieceModel, Tokenizer } from '../../../src/tokenizer/index.js';
import * as write from '../support.js';
import {
  basePieces,
  bytes,
  errorOf,
  float,
  goldenModel,
  modelFile,
  number,
  piece,
  pieces,
  string,
  TYPE,
} from '../support.js';

const { LLAMA_TRAINER: trainer, LLAMA_NORMALIZER: normalizer } = write;
const abc = { '▁': -1, a: -2, b: -3, ab: -4 };
const open = (parts?: write.Parts) => new Tokenizer(readSentencePieceModel(modelFile(parts)));

describe('a model of Llama’s kind', () => {
  it('is read', () => {
    const tokenizer = open();
    expect(tokenizer).toMatchObject({ vocabSize: 263, unkId: 0, bosId: 1, eosId: 2 });
    expect(tokenizer.pieces(tokenizer.encode('ab ba'))).toEqual(['▁', 'ab', '▁', 'b', 'a']);
  });

  it('may have unknown fields, and fields in any order or number: the last holds', () => {
    const unknown = [
      ...number(99, 2n ** 64n - 1n),
      ...float(100, 1),
      ...string(101, 'x'),
      ...bytes(4, [1, 2, 3]),
    ];
    expect(open({ rest: [...unknown, 201, 6, ...new Array(8).fill(0)] }).vocabSize).toBe(263);
    expect(open({ trainer: [...number(3, 1), ...trainer] }).vocabSize).toBe(263);
    expect(open({ trainer: number(3, 1), rest: bytes(2, trainer) }).vocabSize).toBe(263);
  });

  it('has what the schema says where the file says nothing', () => {
    expect(open({ normalizer: number(4, 0) }).encode('a')).toEqual(open().encode('a'));
    const normal = bytes(1, [...string(1, 'c'), ...float(2, -9)]);
    expect(
      open({ pieces: [...pieces(abc), ...normal] }).encode('c', { continuation: true }),
    ).toEqual([263]);
  });

  it('may have no dummy prefix', () => {
    const tokenizer = open({ normalizer: [...normalizer, ...number(3, 0)] });
    expect(tokenizer.pieces(tokenizer.encode('a'))).toEqual(['a']);
    expect(tokenizer.decode(tokenizer.encode(' a'))).toBe(' a');
  });

  it('may have its specials elsewhere', () => {
    const list = [
      pieces(abc),
      piece('<pad>', 0, TYPE.control),
      piece('<eot>', 0, TYPE.control),
    ].flat();
    expect(
      open({ pieces: list, trainer: [...trainer, ...number(42, 264), ...number(43, 263)] }).eosId,
    ).toBe(264);
  });
});

describe('texts and pieces that look alike', () => {
  it('never become a control piece, not even of one character', () => {
    const tokenizer = open({ pieces: [...pieces(abc), ...piece('#', 0, TYPE.control)] });
    expect(tokenizer.pieces(tokenizer.encode('#'))).toEqual(['▁', '<0x23>']);
  });

  it('half a surrogate pair is U+FFFD, also where that is a piece', () => {
    const tokenizer = open({ pieces: pieces({ ...abc, '\ufffd': -5 }) });
    expect(tokenizer.pieces(tokenizer.encode('a\ud83c'))).toEqual(['▁', 'a', '\ufffd']);
  });
});

describe('another kind of model is refused by name', () => {
  const cases: [string, write.Parts][] = [
    ['trainer_spec.model_type is UNIGRAM', { trainer: number(35, 1) }],
    ['trainer_spec.model_type is WORD', { trainer: [...trainer, ...number(3, 3)] }],
    ['trainer_spec.model_type is 77', { trainer: [...trainer, ...number(3, 77)] }],
    ['trainer_spec.treat_whitespace_as_suffix', { trainer: [...trainer, ...number(24, 1)] }],
    ['normalizer_spec.remove_extra_whitespaces is true', { normalizer: string(1, 'identity') }],
    [
      'normalizer_spec.escape_whitespaces is false',
      { normalizer: [...normalizer, ...number(5, 0)] },
    ],
    [
      'normalizer_spec.precompiled_charsmap is 3 bytes',
      { normalizer: [...normalizer, ...string(2, 'abc')] },
    ],
    ['denormalizer_spec is 3 bytes', { rest: bytes(5, string(2, 'abc')) }],
    ['piece 263, "c", has type -1', { pieces: [...pieces(abc), ...piece('c', 0, -1)] }],
  ];
  it.each(cases)('%s', (message, parts) => {
    expect(errorOf('UNSUPPORTED', () => open(parts)).message).toContain(message);
  });
});

describe('a broken model is refused', () => {
  const without = (id: number) => basePieces.filter((_, i) => i !== id).flat();
  const cases: [string, write.Parts][] = [
    ['it has no pieces', { pieces: [] }],
    ['no piece is <0x41>', { pieces: without(3 + 0x41) }],
    ['the unk id is 0, which is control', { pieces: without(0) }],
    ['the bos id is 999, which is no piece', { trainer: [...trainer, ...number(41, 999)] }],
    ['the eos id is 999, which is no piece', { trainer: [...trainer, ...number(42, 999)] }],
    ['both of type unknown', { pieces: [...pieces(abc), ...piece('<u>', 0, TYPE.unknown)] }],
    [
      'piece 263 is "a", and so is one before',
      { pieces: [...pieces(abc), ...piece('a', -9, TYPE.normal)] },
    ],
    ['piece 263 is 0 characters long', { pieces: [...pieces(abc), ...piece('', 0, TYPE.normal)] }],
    [
      'piece 263 is 300 characters long',
      { pieces: [...pieces(abc), ...piece('a'.repeat(300), 0, TYPE.normal)] },
    ],
    ['reads "<0xZZ>"', { pieces: [...pieces(abc), ...piece('<0xZZ>', 0, TYPE.byte)] }],
    [
      'a piece has the score NaN',
      { pieces: [...pieces(abc), ...piece('c', Number.NaN, TYPE.normal)] },
    ],
    ['the text of piece 0 is not UTF-8', { pieces: bytes(1, bytes(1, [0xff])) }],
    ['piece has wire type varint, not bytes', { rest: number(1, 7) }],
    ['the score of piece 0 has wire type varint', { pieces: bytes(1, number(2, 7)) }],
    ['field 1 has wire type 3', { rest: [1 * 8 + 3] }],
    ['no field has number 0', { rest: [0, 0] }],
    ['within a number', { rest: [0x80] }],
    ['more than 64 bits', { rest: [8, ...new Array(9).fill(0xff), 0x02] }],
    ['more than 10 bytes', { rest: [8, ...new Array(10).fill(0x80), 0] }],
    [
      'a field of 18446744073709551615 bytes where 0 are left',
      { rest: [...write.varint(99 * 8 + 2), ...write.varint(-1)] },
    ],
    ['a field of 4 bytes where 3 are left', { rest: [...write.varint(99 * 8 + 5), 1, 2, 3] }],
  ];
  it.each(cases)('%s', (message, parts) => {
    expect(errorOf('BAD_TOKENIZER', () => open(parts)).message).toContain(message);
  });

  it('wherever it is cut off', () => {
    for (let length = 0; length < goldenModel.length; length += 3) {
      expectRefusal(
        () => readSentencePieceModel(goldenModel.subarray(0, length)),
        `${length} bytes`,
      );
    }
  });

  it('whatever bytes are changed: a LlamaError or a tokenizer that works', () => {
    const change = fc.tuple(fc.nat({ max: goldenModel.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), changes => {
        const file = Uint8Array.from(goldenModel);
        for (const [at, byte] of changes) file[at] = byte;
        useOrRefuse(() => new Tokenizer(readSentencePieceModel(file)));
      }),
      { numRuns: 500 },
    );
  });
});

function expectRefusal(read: () => unknown, what: string): void {
  try {
    read();
  } catch (error) {
    if (error instanceof LlamaError) return;
    throw error;
  }
  throw new Error(`${what} were accepted`);
}

function useOrRefuse(open: () => Tokenizer): void {
  try {
    const tokenizer = open();
    expect(tokenizer.decode(tokenizer.encode('under the stairs 🦙')).length).toBeGreaterThan(0);
  } catch (error) {
    expect(error).toBeInstanceOf(LlamaError);
  }
}
