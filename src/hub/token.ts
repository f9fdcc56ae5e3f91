/**
 * The token, where huggingface_hub looks for it (2.4, `get_token`): HF_TOKEN, or else the file that
 * `hf auth login` writes. `stored_tokens` beside that file has the names of all tokens and is not
 * needed: the one in use is always in the file itself.
 */
import { check, hasCode, LlamaError } from '../base/errors.js';
import { readWholeFile, reason } from '../files/file.js';
import { sizeOf } from './cache-disk.js';
import { type Environment, isOn, tokenPath } from './directories.js';

export interface Token {
  readonly value: string;
  /** For messages, which never have the token itself: HF_TOKEN, or the path of a file. */
  readonly from: string;
}

/** More is no token, whatever it is. */
const LONGEST = 65_536;

/**
 * The token of `given`, of the environment, or of the file; undefined if there is none. What is
 * blank counts as absent.
 *
 * @throws {LlamaError} BAD_OPTION if it has characters that no token has; UNAUTHORIZED if the file
 * is there and cannot be read.
 */
export async function findToken(
  given: string | undefined,
  env: Environment,
): Promise<Token | undefined> {
  if (given !== undefined) return tokenOf(given, 'HF_TOKEN');
  if (isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const fromEnvironment = tokenOf(env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN || '', 'HF_TOKEN');
  return fromEnvironment ?? (await tokenInFile(tokenPath(env)));
}

function tokenOf(text: string, from: string): Token | undefined {
  const value = text.trim(); // files of secrets end with a newline
  if (value === '') return undefined;
  const isToken = /^[\x21-\x7e]+$/.test(value) && value.length <= LONGEST;
  check(isToken, 'BAD_OPTION', () => `${from} has characters no token has, or too many`);
  return { value, from };
}

async function tokenInFile(path: string): Promise<Token | undefined> {
  const size = await sizeOf(path);
  if (size === undefined) return undefined;
  check(size <= LONGEST, 'BAD_OPTION', () => `${path} has ${size} bytes, and no token has so many`);
  try {
    return tokenOf((await readWholeFile(path)).toString('utf8'), path);
  } catch (error) {
    if (hasCode(error, 'BAD_OPTION')) throw error;
    const next = 'set HF_TOKEN, or HF_HUB_DISABLE_IMPLICIT_TOKEN=1 to go without';
    throw new LlamaError('UNAUTHORIZED', `the token of hf auth login: ${reason(error)}; ${next}`, {
      cause: error,
    });
  }
}
