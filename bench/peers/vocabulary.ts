/**
 * A made-up vocabulary, for models that are only ever given ids: neither llama.cpp nor a GGUF file
 * does without one.
 */
import { sentencePieceSpaces } from '../../src/tokenizer/model/space-rule.js';
import {
  modelFromScores,
  type ScoredPiece,
  type TokenizerModel,
} from '../../src/tokenizer/model/tokenizer-model.js';

/** So many more are for private use: characters that mean nothing. */
const FIRST_CHARACTER = 0xf0000;

/**
 * As llama.cpp wants a SentencePiece vocabulary: special pieces, all bytes, and for the rest one
 * character each, so that nothing merges.
 */
export function madeUpTokenizer(size: number): TokenizerModel {
  const special: ScoredPiece[] = [
    { text: '<unk>', type: 'unknown', score: 0 },
    { text: '<s>', type: 'control', score: 0 },
    { text: '</s>', type: 'control', score: 0 },
  ];
  const bytes = Array.from({ length: 256 }, (_, i): ScoredPiece => {
    return { text: `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, type: 'byte', score: 0 };
  });
  const characters = Array.from(
    { length: size - special.length - bytes.length },
    (_, i): ScoredPiece => {
      return { text: String.fromCodePoint(FIRST_CHARACTER + i), type: 'normal', score: -i };
    },
  );
  return modelFromScores(
    [...special, ...bytes, ...characters],
    { unkId: 0, bosId: 1, eosId: 2 },
    sentencePieceSpaces(true),
  );
}
