/**
 * The tokenizer of a model: in its GGUF file, or in its directory, as Hugging Face publishes it.
 *
 * Of a directory, as transformers reads it: tokenizer.json if there is one, which says what a text
 * becomes, with the scores of the tokenizer.model beside it; or else that; and what the other files
 * say about its tokens (`tokenizer/json/token-files.ts`). A tokenizer.model by itself is
 * SentencePiece.
 */
import { join } from 'node:path';
import { check, show } from '../base/errors.js';
import { isObject, parseJson } from '../base/json.js';
import { isFile, readWholeFile } from '../files/file.js';
import { openGgufFile } from '../files/gguf/model.js';
import type { LlamaConfig } from '../model/config.js';
import { readGgufTokenizer } from '../tokenizer/gguf/gguf-tokenizer.js';
import { type TokenFiles, withLegacyRule, withTokenFiles } from '../tokenizer/json/token-files.js';
import { readTokenizerJson } from '../tokenizer/json/tokenizer-json.js';
import { settingNotes } from '../tokenizer/model/notes.js';
import type { SentencePieceModel, TokenizerModel } from '../tokenizer/model/tokenizer-model.js';
import { readSentencePieceModel } from '../tokenizer/sentencepiece/reader.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import { inFile, listDirectory } from './directory.js';

/** One of these at least is in a directory that has a tokenizer. */
export const TOKENIZER_FILES = ['tokenizer.model', 'tokenizer.json'] as const;

/** These may be beside it, and say more about its tokens. */
export const TOKEN_LISTS = [
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
] as const;

/**
 * Opens the tokenizer in the GGUF file at `path`, or in the directory at `path`.
 * @throws {LlamaError} NOT_FOUND if none can be read; BAD_TOKENIZER if it is broken; UNSUPPORTED,
 * naming the setting, if it is not of Llama's kind; of a GGUF file, also what `openGgufParts`
 * throws.
 */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  return new Tokenizer(await openTokenizerModel(path));
}

/** What `openTokenizer` makes a tokenizer of: for those who write it to other files. */
export async function openTokenizerModel(path: string): Promise<TokenizerModel> {
  return (await isFile(path)) ? readFromGguf(path) : readFromDirectory(path);
}

async function readFromGguf(path: string): Promise<TokenizerModel> {
  const file = await openGgufFile(path);
  await file.close();
  const model = inFile(path, () => readGgufTokenizer(file.metadata));
  return { ...model, notes: model.notes.map(note => `${path}: ${note}`) };
}

/**
 * What the files beside the tokenizer in a directory say about its tokens.
 * @throws {LlamaError} NOT_FOUND if there is no such directory; BAD_TOKENIZER for what is not JSON.
 */
export async function readTokenFiles(directory: string): Promise<TokenFiles> {
  return tokenFiles(await readerOf(directory));
}

async function tokenFiles(read: Reader): Promise<TokenFiles> {
  const json = (content: Buffer): unknown =>
    parseJson(content.toString('utf8'), 'the content', 'BAD_TOKENIZER');
  const [config, specialTokensMap, addedTokens] = await Promise.all(
    TOKEN_LISTS.map(fileName => read(fileName, json)),
  );
  return { config, specialTokensMap, addedTokens };
}

/** Reads a file of a directory; undefined for one that is not there. */
type Reader = <T>(fileName: string, parse: (content: Buffer) => T) => Promise<T | undefined>;

async function readerOf(directory: string): Promise<Reader> {
  const present = new Set(await listDirectory(directory));
  return async (fileName, parse) => {
    if (!present.has(fileName)) return undefined;
    const path = join(directory, fileName);
    const content = await readWholeFile(path);
    return inFile(path, () => parse(content));
  };
}

async function readFromDirectory(directory: string): Promise<TokenizerModel> {
  const read = await readerOf(directory);
  const sentencePiece = await read('tokenizer.model', readSentencePieceModel);
  const huggingFace = await read('tokenizer.json', content =>
    readTokenizerJson(content.toString('utf8')),
  );
  const files = await tokenFiles(read);
  check(sentencePiece !== undefined || huggingFace !== undefined, 'NOT_FOUND', () => {
    return `there is neither tokenizer.model nor tokenizer.json in ${directory}`;
  });
  const model = inFile(directory, () => {
    if (huggingFace === undefined) {
      return withTokenFiles(withLegacyRule(sentencePiece!, files.config), files);
    }
    const scored =
      sentencePiece === undefined ? huggingFace : withScores(huggingFace, sentencePiece);
    return withTokenFiles(scored, files);
  });
  const notesOf = (fileName: string, notes: readonly string[] = []) =>
    notes.map(note => `${join(directory, fileName)}: ${note}`);
  const ofConfig = isObject(files.config) ? settingNotes(files.config) : [];
  const notes = [
    ...notesOf('tokenizer.json', huggingFace?.notes),
    ...notesOf('tokenizer_config.json', ofConfig),
  ];
  return { ...model, notes };
}

/**
 * A tokenizer.json with the scores of the tokenizer.model beside it, for formats that need them.
 * @throws {LlamaError} BAD_TOKENIZER if they are not the same tokenizer.
 */
function withScores(
  model: TokenizerModel,
  { vocabulary, scores }: SentencePieceModel,
): TokenizerModel {
  const { pieces } = model.vocabulary;
  const id = vocabulary.pieces.findIndex(
    ({ text, type }, i) => type !== 'absent' && text !== pieces[i]?.text,
  );
  check(id === -1, 'BAD_TOKENIZER', () => {
    const [ours, theirs] = [vocabulary.pieces[id].text, pieces[id]?.text];
    return (
      `id ${id} is ${show(ours)} in tokenizer.model and ${show(theirs)} in tokenizer.json: they ` +
      'are two tokenizers; take away the one that is not the model’s'
    );
  });
  return model.kind === 'sentencepiece' ? { ...model, scores: scores! } : model;
}

/**
 * Throws BAD_TOKENIZER if a model of `vocabSize` tokens cannot take every id that text becomes.
 * Added tokens behind its vocabulary are no harm (a padding token that training needed, say): where
 * a text has one, its id is refused. Nor is a larger vocabulary: rows are often padded to a round
 * number.
 */
export function checkVocabulary(
  { vocabSize: size, addedTokens }: Pick<Tokenizer, 'vocabSize' | 'addedTokens'>,
  vocabSize: number,
): void {
  const added = new Set(addedTokens.map(({ id }) => id));
  let own = size;
  while (added.has(own - 1)) own--;
  check(own <= vocabSize, 'BAD_TOKENIZER', () => {
    return (
      `the tokenizer has ${own} pieces, the model only ${vocabSize} (vocab_size); is it another ` +
      "model's tokenizer?"
    );
  });
}

/**
 * What is to be known where the end of a text is one token for the model and another for the
 * tokenizer. Texts end where the model's configuration says, as in Hugging Face's `generate()`.
 */
export function endOfTextNotes(
  { eosTokenIds, vocabSize }: Pick<LlamaConfig, 'eosTokenIds' | 'vocabSize'>,
  { eosId }: Pick<Tokenizer, 'eosId'>,
): string[] {
  if (eosId === undefined || eosId < 0 || eosId >= vocabSize) return [];
  if (eosTokenIds.includes(eosId)) return [];
  const own = eosTokenIds.length === 0 ? 'no token' : `token ${eosTokenIds.join(' or ')}`;
  return [
    `texts end with ${own} for the model (eos_token_id), with token ${eosId} for the tokenizer: ` +
      `generation goes on after ${eosId}, as Hugging Face's does; if that is wrong, correct ` +
      'eos_token_id in config.json or generation_config.json',
  ];
}
