/**
 * The tokenizer of a model: in its GGUF file, or in its directory, as Hugging Face publishes it.
 *
 * Of a directory, tokenizer.model if there is one: it is what Llama was trained with, and
 * tokenizer.json was converted from it. tokenizer_config.json is not read: what it says
 * (`add_bos_token`, `legacy`) is about how prompts are put together, and here the caller says that.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { check, LlamaError } from '../base/errors.js';
import { isFile, readWholeFile, reason } from '../files/file.js';
import { openGgufFile } from '../files/gguf/model.js';
import { readGgufTokenizer } from '../tokenizer/gguf-tokenizer.js';
import { readSentencePieceModel } from '../tokenizer/sentencepiece-model.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import { readTokenizerJson } from '../tokenizer/tokenizer-json.js';
import type { TokenizerModel } from '../tokenizer/tokenizer-model.js';

const READERS: readonly [fileName: string, read: (content: Buffer) => TokenizerModel][] = [
  ['tokenizer.model', readSentencePieceModel],
  ['tokenizer.json', content => readTokenizerJson(content.toString('utf8'))],
];

/** The first of these that is in a directory is its tokenizer. */
export const TOKENIZER_FILES: readonly string[] = READERS.map(([fileName]) => fileName);

/**
 * Opens the tokenizer in the GGUF file at `path`, or tokenizer.model, or else tokenizer.json, in
 * the directory at `path`.
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
  return inFile(path, () => readGgufTokenizer(file.metadata));
}

async function readFromDirectory(directory: string): Promise<TokenizerModel> {
  const files = await listDirectory(directory);
  for (const [fileName, read] of READERS) {
    if (!files.includes(fileName)) continue;
    const path = join(directory, fileName);
    const content = await readWholeFile(path);
    return inFile(path, () => read(content));
  }
  throw new LlamaError(
    'NOT_FOUND',
    `there is neither tokenizer.model nor tokenizer.json in ${directory}`,
  );
}

/**
 * Throws BAD_TOKENIZER if a model of `vocabSize` tokens cannot take every id that `tokenizer`
 * gives. More are no harm: embeddings are often padded to a round number, and `decode` refuses the
 * ids that no text has.
 */
export function checkVocabulary(tokenizer: Pick<Tokenizer, 'vocabSize'>, vocabSize: number): void {
  check(tokenizer.vocabSize <= vocabSize, 'BAD_TOKENIZER', () => {
    return (
      `the tokenizer has ${tokenizer.vocabSize} pieces, the model only ${vocabSize} ` +
      "(vocab_size); is it another model's tokenizer?"
    );
  });
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    throw new LlamaError('NOT_FOUND', `cannot open the directory ${path}: ${reason(error)}`, {
      cause: error,
    });
  }
}

/** What `read` returns; the name of the file is put in front of what it finds wrong. */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `${path}: ${error.message}`, { cause: error })
      : error;
  }
}
