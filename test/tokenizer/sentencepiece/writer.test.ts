/** What is written is read again as the same tokenizer. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTokenizerModel } from '../../../src/load/tokenizer.js';
import { readTokenizerJson } from '../../../src/tokenizer/json/tokenizer-json.js';
import { sentencePieceSpaces } from '../../../src/tokenizer/model/space-rule.js';
import {
  modelFromScores,
  type SentencePieceModel,
} from '../../../src/tokenizer/model/tokenizer-model.js';
import {
  asFloat,
  asInteger,
  asString,
  readFields,
} from '../../../src/tokenizer/sentencepiece/protobuf.js';
import {
  floatField,
  integerField,
  messageField,
  stringField,
} from '../../../src/tokenizer/sentencepiece/protobuf-writer.js';
import { readSentencePieceModel } from '../../../src/tokenizer/sentencepiece/reader.js';
import { writeSentencePieceModel } from '../../../src/tokenizer/sentencepiece/writer.js';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { goldenPath } from '../../support/golden.js';
import { errorOf, goldenJson, goldenModel, scored, vectors } from '../support.js';

const again = (model: SentencePieceModel) => readSentencePieceModel(writeSentencePieceModel(model));

it('golden/tokenizer, with the ids that SentencePiece gives', () => {
  const model = readSentencePieceModel(goldenModel);
  expect(again(model)).toEqual(model);
  const tokenizer = new Tokenizer(again(model));
  for (const { text, ids } of vectors.encode) expect(tokenizer.encode(text)).toEqual(ids);
});

it('the tokenizer of a GGUF file', async () => {
  const path = goldenPath('gguf/mha-f32.gguf');
  const model = (await openTokenizerModel(path)) as SentencePieceModel;
  // A tokenizer.model lists no control pieces as added.
  expect(again(model)).toEqual({ ...model, addedTokens: [] });
});

const LLAMA = fileURLToPath(
  new URL('../../../../shared/tokenizers/llama2/tokenizer.model', import.meta.url),
);
it.skipIf(!existsSync(LLAMA))('Llama 2’s own: 32,000 pieces', () => {
  const model = readSentencePieceModel(readFileSync(LLAMA));
  expect(model.vocabulary.pieces).toHaveLength(32000);
  expect(again(model)).toEqual(model);
});

it('special pieces of other names, in other places, and no dummy prefix', () => {
  const pieces = [
    ...scored({ a: -1, é: -2.5 }),
    { text: '<end>', score: 0, type: 'control' as const },
  ];
  const model = modelFromScores(
    pieces,
    { unkId: 0, bosId: 1, eosId: pieces.length - 1 },
    sentencePieceSpaces(false),
  );
  expect(again(model)).toEqual(model);
  expect(again(model).spaces.dropsSpace).toBe(false);
});

it('a tokenizer without scores is refused', () => {
  const error = errorOf('UNSUPPORTED', () =>
    writeSentencePieceModel(readTokenizerJson(goldenJson) as SentencePieceModel),
  );
  expect(error.message).toContain('copy tokenizer.json instead');
});

describe('fields', () => {
  const single = (bytes: readonly number[]) => [...readFields(Uint8Array.from(bytes))][0];
  const fieldNumber = fc.integer({ min: 1, max: 2 ** 29 - 1 });

  it('of any 32-bit integer, float32 and text are read again', () => {
    fc.assert(
      fc.property(
        fieldNumber,
        fc.integer(),
        fc.float(),
        fc.string({ unit: 'binary' }),
        (number, n, x, text) => {
          expect(single(integerField(number, n)).number).toBe(number);
          expect(asInteger(single(integerField(number, n)), 'n')).toBe(n);
          expect(asFloat(single(floatField(number, x)), 'x')).toBe(x);
          expect(asString(single(stringField(number, text)), 'text')).toBe(text);
        },
      ),
    );
  });

  it('of a message longer than 127 bytes keep their length', () => {
    const text = 'x'.repeat(300);
    const message = single(messageField(1, stringField(2, text), integerField(3, -1)));
    const [first, second] = [...readFields(message.value as Uint8Array)];
    expect([asString(first, 'text'), asInteger(second, 'n')]).toEqual([text, -1]);
  });
});
