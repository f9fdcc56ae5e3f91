/**
 * The tokenizer in the metadata of a GGUF file, to read and to write, of both kinds:
 * `tokenizer.ggml.model` "llama" (`sentencepiece.ts`) and "gpt2" (`byte-level.ts`). A key of
 * `tokenizer.ggml` that nobody has looked at is refused: it might change the ids.
 *
 * Not followed, but noted: `add_eos_token`, as with tokenizer_config.json, and for "llama", whose
 * prompts all begin with BOS, `add_bos_token`.
 */

import { check, show } from '../../base/errors.js';
import { type GgufMetadata, plainValues } from '../../files/gguf/values.js';
import type { AddedToken } from '../model/added-tokens.js';
import type { TokenizerModel } from '../model/tokenizer-model.js';
import { byteLevelFields, byteLevelLosses, readByteLevel } from './byte-level.js';
import { type Fields, PREFIX } from './fields.js';
import { readSentencePiece, sentencePieceFields, sentencePieceLosses } from './sentencepiece.js';

/** By what `tokenizer.ggml.model` says. */
const READERS: ReadonlyMap<unknown, (fields: Fields) => TokenizerModel> = new Map<
  unknown,
  (fields: Fields) => TokenizerModel
>([
  ['llama', readSentencePiece],
  ['gpt2', readByteLevel],
]);

/** What converters of llama.cpp say where there is none, and its reader takes besides. */
const NONE: ReadonlySet<unknown> = new Set(['none', 'no_vocab']);

/**
 * Reads the tokenizer of a GGUF file.
 * @throws {LlamaError} BAD_TOKENIZER if it is broken or not there; UNSUPPORTED, naming the setting,
 * if it is not Llama's kind.
 */
export function readGgufTokenizer(metadata: GgufMetadata): TokenizerModel {
  const all = Object.entries(plainValues(metadata)).filter(([key]) => key.startsWith(PREFIX));
  const fields = Object.fromEntries(all.map(([key, value]) => [key.slice(PREFIX.length), value]));
  check(fields.model !== undefined && !NONE.has(fields.model), 'BAD_TOKENIZER', () => {
    const said = fields.model === undefined ? 'missing' : show(fields.model);
    return `${PREFIX}model is ${said}: the file has no tokenizer`;
  });
  const read = READERS.get(fields.model);
  check(read !== undefined, 'UNSUPPORTED', () => {
    const names = [...READERS.keys()].map(name => show(name)).join(' and ');
    return (
      `${PREFIX}model is ${show(fields.model)}; only ${names} are implemented, and the ids would ` +
      'be others'
    );
  });
  return read(fields);
}

/**
 * The metadata that `readGgufTokenizer` makes the tokenizer `model` of, with a piece for each of
 * the `vocabSize` tokens of the language model, and no more. Ids of BOS and EOS are not in it: a
 * GGUF file has one of each, and they are those of the configuration. What has no place in the
 * format, `ggufTokenizerNotes` says.
 *
 * @throws {LlamaError} UNSUPPORTED if it comes from a tokenizer.json whose merges stand for no
 * scores, or that cuts texts in a way that GGUF has no word for.
 */
export function ggufTokenizerMetadata(model: TokenizerModel, vocabSize: number): GgufMetadata {
  const values =
    model.kind === 'byte-level'
      ? byteLevelFields(model, vocabSize)
      : sentencePieceFields(model, vocabSize);
  return new Map(values.map(([key, value]) => [`${PREFIX}${key}`, value]));
}

/** What `ggufTokenizerMetadata` leaves out, and changes the ids of some texts: a sentence each. */
export function ggufTokenizerNotes(model: TokenizerModel, vocabSize: number): string[] {
  const { addedTokens } = model;
  const left = addedTokens.filter(({ id }) => id >= vocabSize);
  const flagged = addedTokens.filter(token => token.id < vocabSize && isFlagged(token));
  const notes: [boolean, string][] = [
    [
      left.length > 0,
      `left out: ${contents(left)}, for which the model has no rows (vocab_size is ${vocabSize})`,
    ],
    [
      flagged.length > 0,
      'a GGUF file has no place for lstrip, rstrip, single_word and normalized: with it, ' +
        `${contents(flagged)} are found wherever they are spelled out, and take no space along`,
    ],
  ];
  const losses = model.kind === 'byte-level' ? byteLevelLosses(model) : sentencePieceLosses(model);
  return [...notes.flatMap(([holds, text]) => (holds ? [text] : [])), ...losses];
}

const contents = (tokens: readonly AddedToken[]): string =>
  tokens.map(({ content }) => show(content)).join(', ');

const isFlagged = ({ lstrip, rstrip, singleWord, normalized }: AddedToken): boolean =>
  lstrip || rstrip || singleWord || normalized;
