/**
 * Writing tokenizer.model, for a tokenizer that comes from a GGUF file: what
 * `sentencepiece-model.ts` reads, and SentencePiece itself.
 */

import { check } from '../base/errors.js';
import { floatField, integerField, messageField, stringField } from './protobuf-writer.js';
import { BPE } from './sentencepiece-model.js';
import { PIECE_NUMBERS, type TokenizerModel } from './tokenizer-model.js';

/**
 * The tokenizer `model` as a `ModelProto`, without what only mattered to its training.
 * @throws {LlamaError} UNSUPPORTED if it comes from a tokenizer.json, which has no scores.
 */
export function writeSentencePieceModel({
  vocabulary,
  scores,
  dummyPrefix,
}: TokenizerModel): Uint8Array {
  check(scores !== undefined, 'UNSUPPORTED', () => {
    return (
      'tokenizer.json has no scores of pieces, which a tokenizer.model needs; copy ' +
      'tokenizer.json instead'
    );
  });
  const { pieces, unkId, bosId, eosId } = vocabulary;
  const trainerSpec = [
    integerField(3, BPE), // model_type
    integerField(4, pieces.length), // vocab_size
    integerField(35, 1), // byte_fallback
    integerField(40, unkId),
    integerField(41, bosId),
    integerField(42, eosId),
    integerField(43, -1), // pad_id: none
    // SentencePiece looks the ids up by these texts.
    stringField(45, pieces[unkId].text),
    stringField(46, pieces[bosId].text),
    stringField(47, pieces[eosId].text),
  ];
  const normalizerSpec = [
    stringField(1, 'identity'),
    integerField(3, dummyPrefix === 'never' ? 0 : 1), // add_dummy_prefix
    integerField(4, 0), // remove_extra_whitespaces
    integerField(5, 1), // escape_whitespaces
  ];
  return Uint8Array.from(
    [
      ...pieces.map(({ text, type }, id) =>
        messageField(
          1,
          stringField(1, text),
          floatField(2, scores[id]),
          integerField(3, PIECE_NUMBERS.get(type)!),
        ),
      ),
      messageField(2, ...trainerSpec),
      messageField(3, ...normalizerSpec),
    ].flat(),
  );
}
