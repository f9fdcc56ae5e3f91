/**
 * Which files of a repository are needed: those that `openModelFiles`, `openTokenizer`
 * and `openChatFormat` would open, and no others.
 */

import { check, LlamaError } from '../base/errors.js';
import { pathsOfParts } from '../files/gguf/splits.js';
import { chooseWeightFiles, thereIs, WEIGHT_FILES } from '../files/weight-files.js';
import { CHAT_FILES } from '../load/chat-format.js';
import { CONFIG, GENERATION_CONFIG } from '../load/model-files.js';
import type { Reference } from '../load/reference.js';
import { TOKEN_LISTS, TOKENIZER_FILES } from '../load/tokenizer.js';

/** A place that files are in, the hub or the cache. */
export interface Place {
  /** For messages. */
  readonly name: string;
  /** Paths of the files that are there. */
  readonly files: readonly string[];
  /** The JSON in one of them. */
  readJson(path: string): Promise<unknown>;
}

/**
 * All of `place`.
 * @throws {LlamaError} NOT_FOUND if one is not there; BAD_CHECKPOINT if the index of the weights is
 * broken.
 */
export async function neededFiles(
  { repo, file }: Reference,
  only: 'tokenizer' | undefined,
  place: Place,
): Promise<string[]> {
  const needed = file === undefined ? await ofDirectory(repo, only, place) : pathsOfParts(file);
  const missing = needed.filter(path => !place.files.includes(path));
  check(missing.length === 0, 'NOT_FOUND', () => {
    return (
      `there is no ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' …' : ''} in ` +
      `${place.name}${thereIs(place.files)}`
    );
  });
  return needed;
}

async function ofDirectory(
  repo: string,
  only: 'tokenizer' | undefined,
  place: Place,
): Promise<string[]> {
  const { name, files } = place;
  const tokenizer = [...TOKENIZER_FILES, ...TOKEN_LISTS].filter(path => files.includes(path));
  const hasTokenizer = TOKENIZER_FILES.some(path => files.includes(path));
  if (only === 'tokenizer') return hasTokenizer ? tokenizer : [TOKENIZER_FILES[0]];
  const readIndex = (path: string) => place.readJson(path);
  const weights = await chooseWeightFiles({ path: repo, files, readIndex });
  if (weights === undefined) throw noWeights(repo, name, files);
  const others = [GENERATION_CONFIG, ...CHAT_FILES].filter(path => files.includes(path));
  return [...new Set([CONFIG, ...others, ...tokenizer, ...weights.names])];
}

function noWeights(repo: string, name: string, files: readonly string[]): LlamaError {
  const gguf = files.find(path => path.endsWith('.gguf'));
  const hint =
    gguf === undefined ? thereIs(files) : `, but there are GGUF files; name one: ${repo}:${gguf}`;
  return new LlamaError(
    'NOT_FOUND',
    `there is none of ${WEIGHT_FILES.join(', ')} in ${name}${hint}`,
  );
}
