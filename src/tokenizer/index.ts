/**
 * Llama's tokenizer, for any JavaScript runtime; `openTokenizer`, which reads files, is in
 * `src/load/tokenizer.ts`.
 */
export type { AddedToken } from './added-tokens.js';
export { readSentencePieceModel } from './sentencepiece-model.js';
export { writeSentencePieceModel } from './sentencepiece-writer.js';
export type { SpaceRule } from './space-rule.js';
export type { DecodeOptions, StreamDecoder } from './stream-decoder.js';
export { type EncodeOptions, Tokenizer } from './tokenizer.js';
export { readTokenizerJson } from './tokenizer-json.js';
export {
  modelFromScores,
  PIECE_TYPES,
  type ScoredPiece,
  type TokenizerModel,
} from './tokenizer-model.js';
export type { Piece, PieceType } from './vocabulary.js';
