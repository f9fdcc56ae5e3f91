import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { readTokenizerJson, Tokenizer } from '../../../src/tokenizer/index.js';
import { errorOf, fromMetaspace, fromModel, goldenJson, metaspaceJson } from '../support.js';

// biome-ignore lint/suspicious/noExplicitAny: any JSON, to be damaged
type Json = any;

/** The tokenizer of golden/tokenizer/tokenizer.json, or of the newer form, after `change`. */
function open(change: (file: Json) => void, text = goldenJson): Tokenizer {
  const file = JSON.parse(text);
  change(file);
  return new Tokenizer(readTokenizerJson(JSON.stringify(file)));
}

const TEXT = '  the old sailor, 7 times 🌱🦙';
const same = (tokenizer: Tokenizer) =>
  expect(tokenizer.encode(TEXT)).toEqual(fromModel.encode(TEXT));

describe('the forms of Llama’s tokenizer.json', () => {
  it('may write merges as text or as pairs', () => {
    same(
      open(
        file =>
          (file.model.merges = file.model.merges.map((pair: string[]) => [...pair].join(' '))),
      ),
    );
    same(
      open(
        file =>
          (file.model.merges = file.model.merges.map((pair: string | string[]) =>
            [pair].flat().join(' ').split(' '),
          )),
      ),
    );
  });

  it('may put BOS in front, which is for the caller of encode to say', () => {
    const template = [
      { SpecialToken: { id: '<s>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
    ];
    const post_processor = {
      type: 'TemplateProcessing',
      single: template,
      pair: [
        ...template,
        { SpecialToken: { id: '<s>', type_id: 1 } },
        { Sequence: { id: 'B', type_id: 1 } },
      ],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    };
    same(open(file => (file.post_processor = post_processor)));
  });

  it('may leave out defaults, and fuse unknown characters, of which there are none', () => {
    same(
      open(file => {
        for (const key of ['version', 'truncation', 'padding', 'pre_tokenizer', 'post_processor'])
          delete file[key];
        for (const key of [
          'dropout',
          'continuing_subword_prefix',
          'end_of_word_suffix',
          'fuse_unk',
          'ignore_merges',
        ]) {
          delete file.model[key];
        }
      }),
    );
    same(open(file => (file.model.fuse_unk = false)));
  });

  it('may have no dummy prefix', () => {
    const legacy = open(file => {
      file.normalizer.normalizers.shift();
      file.decoder.decoders.pop();
    });
    const metaspace = open(file => {
      file.pre_tokenizer.prepend_scheme = 'never';
      file.decoder.decoders.pop();
    }, metaspaceJson);
    for (const tokenizer of [legacy, metaspace]) {
      expect(tokenizer.encode('the')).toEqual(fromModel.encode('the', { continuation: true }));
      expect(tokenizer.decode(tokenizer.encode(' the'))).toBe(' the');
    }
  });

  it.each<[string, (file: Json) => void]>([
    ['unk_token null', file => (file.model.unk_token = null)],
    ['dropout 0', file => (file.model.dropout = 0)],
    ['truncation', file => (file.truncation = { max_length: 3, strategy: 'LongestFirst' })],
    ['padding', file => (file.padding = { strategy: { Fixed: 512 }, pad_token: '</s>' })],
    ['another post_processor', file => (file.post_processor = { type: 'ByteLevel' })],
    ['several', file => (file.post_processor = { type: 'Sequence', processors: [] })],
    ['Replace before Prepend', file => file.normalizer.normalizers.reverse()],
    [
      'a Sequence in a Sequence',
      file => (file.normalizer = { type: 'Sequence', normalizers: [file.normalizer] }),
    ],
  ])('may have what changes no id: %s', (_, change) => {
    same(open(change));
  });

  it.each<[string, (file: Json) => void]>([
    ['str_rep', file => (file.pre_tokenizer.str_rep = '▁')],
    ['add_prefix_space', file => (file.pre_tokenizer.add_prefix_space = true)],
    [
      'add_prefix_space alone',
      file => {
        delete file.pre_tokenizer.prepend_scheme;
        file.pre_tokenizer.add_prefix_space = true;
      },
    ],
    [
      'a Sequence of one',
      file => (file.pre_tokenizer = { type: 'Sequence', pretokenizers: [file.pre_tokenizer] }),
    ],
  ])('may write Metaspace in another way: %s', (_, change) => {
    const tokenizer = open(change, metaspaceJson);
    for (const text of [TEXT, ' the', 'the']) {
      expect(tokenizer.encode(text)).toEqual(fromMetaspace.encode(text));
    }
  });

  it('may double the first space for Metaspace, as transformers 5 writes that rule', () => {
    const tokenizer = open(file => {
      const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
      const double = { type: 'Replace', pattern: { Regex: '\\A▁' }, content: '▁▁' };
      file.normalizer = { type: 'Sequence', normalizers: [spaces, double] };
      file.pre_tokenizer.prepend_scheme = 'always';
    }, metaspaceJson);
    for (const text of [TEXT, ' the', 'the', '  ', '▁']) {
      expect(tokenizer.encode(text)).toEqual(fromModel.encode(text));
    }
  });

  it('may have more special tokens behind the vocabulary, which no text becomes', () => {
    const tokenizer = open(file =>
      file.added_tokens.push({ id: 331, content: '[PAD]', special: true }),
    );
    expect(tokenizer.vocabSize).toBe(332);
    expect(tokenizer.encode('[PAD]')).toEqual(fromModel.encode('[PAD]'));
    expect(tokenizer.decode([331])).toBe('');
  });
});

describe('another kind of tokenizer.json is refused by name', () => {
  const cases: [string, (file: Json) => void][] = [
    ['model.type is "Unigram"', file => (file.model.type = 'Unigram')],
    ['model.type is missing', file => delete file.model.type],
    ['model.dropout is 0.1', file => (file.model.dropout = 0.1)],
    [
      'model.continuing_subword_prefix is "##"',
      file => (file.model.continuing_subword_prefix = '##'),
    ],
    ['model.end_of_word_suffix is "</w>"', file => (file.model.end_of_word_suffix = '</w>')],
    ['model.ignore_merges is true', file => (file.model.ignore_merges = true)],
    ['normalizer is {"type":"NFKC"}', file => (file.normalizer = { type: 'NFKC' })],
    ['normalizer is null', file => (file.normalizer = null)],
    [
      'normalizer is {"type":"Sequence"',
      file => file.normalizer.normalizers.push({ type: 'Lowercase' }),
    ],
    ['pre_tokenizer is {"type":"ByteLevel"}', file => (file.pre_tokenizer = { type: 'ByteLevel' })],
    [
      'normalizer beside a pre_tokenizer',
      file => {
        file.normalizer.normalizers.push(file.normalizer.normalizers[0]);
        file.pre_tokenizer = JSON.parse(metaspaceJson).pre_tokenizer;
      },
    ],
    ['decoder is null', file => (file.decoder = null)],
    ['decoder is missing', file => delete file.decoder],
    ['decoder is {"type":"Sequence"', file => file.decoder.decoders.shift()],
    [
      'unknown key "task" in tokenizer.json (value "nmt"): it may change the ids',
      file => (file.task = 'nmt'),
    ],
    ['unknown key "toString" in tokenizer.json', file => (file.toString = 1)],
    ['unknown key "alpha" in model (value 0.1)', file => (file.model.alpha = 0.1)],
    ['version is "2.0"', file => (file.version = '2.0')],
    ['post_processor.type is "Lowercase"', file => (file.post_processor = { type: 'Lowercase' })],
    ['post_processor.type is missing', file => (file.post_processor = {})],
  ];
  it.each(cases)('%s', (message, change) => {
    expect(errorOf('UNSUPPORTED', () => open(change)).message).toContain(message);
  });

  it.each<[string, (file: Json) => void]>([
    ['pre_tokenizer is {"type":"Metaspace"', file => (file.pre_tokenizer.split = true)],
    ['pre_tokenizer is {"type":"Metaspace"', file => delete file.pre_tokenizer.split],
    [
      'pre_tokenizer.prepend_scheme is "last"',
      file => (file.pre_tokenizer.prepend_scheme = 'last'),
    ],
    ['pre_tokenizer is {"type":"ByteLevel"}', file => (file.pre_tokenizer = { type: 'ByteLevel' })],
  ])('%s', (message, change) => {
    expect(errorOf('UNSUPPORTED', () => open(change, metaspaceJson)).message).toContain(message);
  });
});

describe('a broken tokenizer.json is refused', () => {
  const cases: [string, (file: Json) => void][] = [
    ['model is null', file => (file.model = null)],
    ['model.fuse_unk is "yes", not true or false', file => (file.model.fuse_unk = 'yes')],
    ['model.byte_fallback is 7, not true or false', file => (file.model.byte_fallback = 7)],
    ['post_processor is 7, not an object', file => (file.post_processor = 7)],
    ['post_processor is [], not an object', file => (file.post_processor = [])],
    ['model.vocab is [], not an object', file => (file.model.vocab = [])],
    ['the id of "the_" is "7", not an integer', file => (file.model.vocab.the_ = '7')],
    ['ids must be 0, 1, 2, …, and 331 is next', file => (file.model.vocab.the_ = 332)],
    ['piece "the_" of model.vocab has id 300, and so has', file => (file.model.vocab.the_ = 300)],
    ['the id of "the_" is -1; ids are 0 to', file => (file.model.vocab.the_ = -1)],
    ['"<s>" has id 1 in model.vocab, 7 in added_tokens', file => (file.added_tokens[1].id = 7)],
    ['model.unk_token is "<x>", which is no piece', file => (file.model.unk_token = '<x>')],
    ['special of "<s>" is 1, not true or false', file => (file.added_tokens[1].special = 1)],
    ['id of "[PAD]" is 1e+300', file => file.added_tokens.push({ id: 1e300, content: '[PAD]' })],
    [
      'piece "[PAD]" of added_tokens has id 1, and so has "<s>"',
      file => file.added_tokens.push({ id: 1, content: '[PAD]' }),
    ],
    ['added_tokens is 7, not an array', file => (file.added_tokens = 7)],
    [
      'an entry of added_tokens has no content',
      file => (file.added_tokens = [{ id: 1, special: true }]),
    ],
    ['model.merges is undefined, not an array', file => delete file.model.merges],
    ['merge 0 is "abc", not a pair', file => (file.model.merges[0] = 'abc')],
    ['merge 0 is ["a"], not a pair', file => (file.model.merges[0] = ['a'])],
    ['merge 0 needs "zz"', file => (file.model.merges[0] = ['zz', 'a'])],
    ['merge 0 needs "<s>a"', file => (file.model.merges[0] = ['<s>', 'a'])],
    ['merge 0 needs "qq"', file => (file.model.merges[0] = ['q', 'q'])],
    ['comes twice', file => file.model.merges.push(file.model.merges[0])],
  ];
  it.each(cases)('%s', (message, change) => {
    expect(errorOf('BAD_TOKENIZER', () => open(change)).message).toContain(message);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '\ufeff{}',
    '['.repeat(100_000),
    '{"a":'.repeat(100_000),
    '{"model":1,"model":2}',
  ])('%#', text => {
    errorOf('BAD_TOKENIZER', () => readTokenizerJson(text));
  });

  it('wherever it is cut off', () => {
    for (let length = 0; length < goldenJson.length; length += 7) {
      errorOf('BAD_TOKENIZER', () => readTokenizerJson(goldenJson.slice(0, length)));
    }
  });

  it('whatever characters are changed: a LlamaError or a tokenizer that works', () => {
    const change = fc.tuple(
      fc.nat({ max: goldenJson.length - 1 }),
      fc.constantFrom(...'"{}[],:0123456789nulltrue▁ab\\'),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
        const text = [...goldenJson];
        for (const [at, character] of changes) text[at] = character;
        try {
          const tokenizer = new Tokenizer(readTokenizerJson(text.join('')));
          expect(tokenizer.decode(tokenizer.encode(TEXT)).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(LlamaError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
