/**
 * Llama's tokenizer, for any JavaScript runtime; `openTokenizer`, which reads files, is in
 * `src/load/tokenizer.ts`.
 */

export type { DecodeOptions, StreamDecoder } from './decode/stream-decoder.js';
export { readTokenizerJson } from './json/tokenizer-json.js';
export type { AddedToken } from './model/added-tokens.js';
export type { ByteLevelRule, Split, SplitBehavior } from './model/byte-level-rule.js';
export type { SpaceRule } from './model/space-rule.js';
export {
  type ByteLevelModel,
  modelFromScores,
  PIECE_TYPES,
  type ScoredPiece,
  type SentencePieceModel,
  type TokenizerModel,
} from './model/tokenizer-model.js';
export type { Piece, PieceType } from './model/vocabulary.js';
export { readSentencePieceModel } from './sentencepiece/reader.js';
export { writeSentencePieceModel } from './sentencepiece/writer.js';
export { type EncodeOptions, Tokenizer } from './tokenizer.js';
