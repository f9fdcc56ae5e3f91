/**
 * Writing tokenizer.model, for a tokenizer that comes from a GGUF file: what
 * `reader.ts` reads, and SentencePiece itself.
 */

import { check } from '../../base/errors.js';
import { hasPrefix } from '../model/space-rule.js';
import { PIECE_NUMBERS, type SentencePieceModel, scoredPieces } from '../model/tokenizer-model.js';
import { floatField, integerField, messageField, stringField } from './protobuf-writer.js';
import { BPE } from './reader.js';

/**
 * The tokenizer `model` as a `ModelProto`, without what only mattered to its training.
 * @throws {LlamaError} UNSUPPORTED if it comes from a tokenizer.json, which has no scores.
 */
export function writeSentencePieceModel(model: SentencePieceModel): Uint8Array {
  const { vocabulary, scores, spaces } = model;
  check(scores !== undefined, 'UNSUPPORTED', () => {
    return (
      'tokenizer.json has no scores of pieces, which a tokenizer.model needs; copy ' +
      'tokenizer.json instead'
    );
  });
  const { pieces, byteIds, unkId, bosId, eosId } = vocabulary;
  const trainerSpec = [
    integerField(3, BPE), // model_type
    integerField(4, pieces.length), // vocab_size
    integerField(35, byteIds.length > 0 ? 1 : 0), // byte_fallback
    integerField(40, unkId ?? -1),
    integerField(41, bosId ?? -1),
    integerField(42, eosId ?? -1),
    integerField(43, -1), // pad_id: none
    // SentencePiece looks the ids up by these texts.
    ...[unkId, bosId, eosId].flatMap((id, i) =>
      id === undefined ? [] : [stringField(45 + i, pieces[id].text)],
    ),
  ];
  const normalizerSpec = [
    stringField(1, 'identity'),
    integerField(3, hasPrefix(spaces) ? 1 : 0), // add_dummy_prefix
    integerField(4, 0), // remove_extra_whitespaces
    integerField(5, 1), // escape_whitespaces
  ];
  return Uint8Array.from(
    [
      ...scoredPieces(model, scores, pieces.length).map(({ text, type, score }) =>
        messageField(
          1,
          stringField(1, text),
          floatField(2, score),
          integerField(3, PIECE_NUMBERS.get(type)!),
        ),
      ),
      messageField(2, ...trainerSpec),
      messageField(3, ...normalizerSpec),
    ].flat(),
  );
}
