/**
 * tokenizer.model: a SentencePiece `ModelProto` (github.com/google/sentencepiece,
 * src/sentencepiece_model.proto).
 *
 *     1 pieces: 1 piece (text), 2 score, 3 type
 *     2 trainer_spec
 *     3 normalizer_spec
 *     5 denormalizer_spec
 *
 * Only Llama's kind: byte-pair encoding, text taken as it is but for "▁" in place of spaces. What
 * would change the ids otherwise is refused by name; what matters to training alone is not looked
 * at.
 *
 * User-defined pieces are added tokens, as in transformers. SentencePiece differs: it puts "▁" in
 * front of one that begins a text.
 */
import { check, show } from '../../base/errors.js';
import { sentencePieceSpaces } from '../model/space-rule.js';
import {
  addedTokensOf,
  modelFromScores,
  PIECE_TYPES,
  type ScoredPiece,
  type SentencePieceModel,
} from '../model/tokenizer-model.js';
import {
  asBoolean,
  asBytes,
  asFloat,
  asInteger,
  asString,
  type Field,
  readFields,
} from './protobuf.js';

/** Of the kinds that there are, ModelType. */
export const BPE = 2;

/** The fields that matter, with the schema's defaults: what a file does not say. */
class ModelProto {
  readonly pieces: ScoredPiece[] = [];
  modelType = 1;
  treatWhitespaceAsSuffix = false;
  byteFallback = false;
  unkId = 0;
  bosId = 1;
  eosId = 2;
  addDummyPrefix = true;
  removeExtraWhitespaces = true;
  escapeWhitespaces = true;
  precompiledCharsmap: Uint8Array = new Uint8Array();
  denormalizerCharsmap: Uint8Array = new Uint8Array();
}

/**
 * Reads the content of a tokenizer.model.
 * @throws {LlamaError} BAD_TOKENIZER if it is broken; UNSUPPORTED, naming the setting, if it is not
 * Llama's kind.
 */
export function readSentencePieceModel(bytes: Uint8Array): SentencePieceModel {
  const proto = new ModelProto();
  for (const field of readFields(bytes)) {
    if (field.number === 1)
      proto.pieces.push(readPiece(asBytes(field, 'piece'), proto.pieces.length));
    else if (field.number === 2) readTrainerSpec(asBytes(field, 'trainer_spec'), proto);
    else if (field.number === 3) readNormalizerSpec(asBytes(field, 'normalizer_spec'), proto);
    else if (field.number === 5) readDenormalizerSpec(asBytes(field, 'denormalizer_spec'), proto);
  }
  check(
    proto.pieces.length > 0,
    'BAD_TOKENIZER',
    () => 'it has no pieces; is it a SentencePiece model?',
  );
  checkKind(proto);
  const { pieces, bosId, eosId, byteFallback } = proto;
  const orNone = (id: number) => (id < 0 ? undefined : id);
  const ids = { unkId: proto.unkId, bosId: orNone(bosId), eosId: orNone(eosId) };
  const spaces = sentencePieceSpaces(proto.addDummyPrefix);
  const model = modelFromScores(pieces, ids, spaces, byteFallback);
  return { ...model, addedTokens: addedTokensOf(pieces, type => type === 'user-defined') };
}

function readPiece(message: Uint8Array, id: number): ScoredPiece {
  let text = '';
  let score = 0;
  let typeNumber = 1;
  for (const field of readFields(message)) {
    if (field.number === 1) text = asString(field, `the text of piece ${id}`);
    else if (field.number === 2) score = asFloat(field, `the score of piece ${id}`);
    else if (field.number === 3) typeNumber = asInteger(field, `the type of piece ${id}`);
  }
  const type = PIECE_TYPES.get(typeNumber);
  check(type !== undefined, 'UNSUPPORTED', () => {
    return `piece ${id}, ${show(text)}, has type ${typeNumber}; there are types 1 to 6`;
  });
  return { text, score, type };
}

function readTrainerSpec(message: Uint8Array, proto: ModelProto): void {
  const fields: Record<number, (field: Field) => void> = {
    3: field => (proto.modelType = asInteger(field, 'trainer_spec.model_type')),
    24: field =>
      (proto.treatWhitespaceAsSuffix = asBoolean(field, 'trainer_spec.treat_whitespace_as_suffix')),
    35: field => (proto.byteFallback = asBoolean(field, 'trainer_spec.byte_fallback')),
    40: field => (proto.unkId = asInteger(field, 'trainer_spec.unk_id')),
    41: field => (proto.bosId = asInteger(field, 'trainer_spec.bos_id')),
    42: field => (proto.eosId = asInteger(field, 'trainer_spec.eos_id')),
  };
  for (const field of readFields(message)) fields[field.number]?.(field);
}

function readNormalizerSpec(message: Uint8Array, proto: ModelProto): void {
  const fields: Record<number, (field: Field) => void> = {
    2: field =>
      (proto.precompiledCharsmap = asBytes(field, 'normalizer_spec.precompiled_charsmap')),
    3: field => (proto.addDummyPrefix = asBoolean(field, 'normalizer_spec.add_dummy_prefix')),
    4: field =>
      (proto.removeExtraWhitespaces = asBoolean(field, 'normalizer_spec.remove_extra_whitespaces')),
    5: field => (proto.escapeWhitespaces = asBoolean(field, 'normalizer_spec.escape_whitespaces')),
  };
  for (const field of readFields(message)) fields[field.number]?.(field);
}

function readDenormalizerSpec(message: Uint8Array, proto: ModelProto): void {
  for (const field of readFields(message)) {
    if (field.number === 2)
      proto.denormalizerCharsmap = asBytes(field, 'denormalizer_spec.precompiled_charsmap');
  }
}

function checkKind(proto: ModelProto): void {
  const { precompiledCharsmap, denormalizerCharsmap } = proto;
  const kinds = ['', 'UNIGRAM', 'BPE', 'WORD', 'CHAR'];
  require(proto.modelType === BPE, 'trainer_spec.model_type', kinds[proto.modelType] ??
    proto.modelType, 'BPE');
  require(!proto.treatWhitespaceAsSuffix, 'trainer_spec.treat_whitespace_as_suffix', true, false);
  require(!proto.removeExtraWhitespaces, 'normalizer_spec.remove_extra_whitespaces', true, false);
  require(proto.escapeWhitespaces, 'normalizer_spec.escape_whitespaces', false, true);
  const rules = (map: Uint8Array) => `${map.length} bytes of rules`;
  require(precompiledCharsmap.length === 0, 'normalizer_spec.precompiled_charsmap', rules(
    precompiledCharsmap,
  ), 'none');
  require(denormalizerCharsmap.length === 0, 'denormalizer_spec', rules(
    denormalizerCharsmap,
  ), 'none');
}

function require(holds: boolean, setting: string, value: unknown, expected: unknown): void {
  check(holds, 'UNSUPPORTED', () => {
    return (
      `${setting} is ${value}; only ${expected}, as Llama has it, is implemented, and the ids ` +
      'would be others'
    );
  });
}
