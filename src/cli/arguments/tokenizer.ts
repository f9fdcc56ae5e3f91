/** The tokenizer of a model, for those who have a text, and what is to be said of that. */
import { LlamaError } from '../../base/errors.js';
import { findTokenizer } from '../../load/find-tokenizer.js';
import { openModelFiles } from '../../load/model-files.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { type Io, note } from '../terminal/io.js';
import type { Options } from './options.js';

/**
 * @param instead how ids are given in place of the text
 * @throws {LlamaError} what `openTokenizer` throws, with the way that goes without; what
 * `openModelFiles` throws if there is no model either.
 */
export async function tokenizerForText(
  path: string,
  instead = 'give token ids with --tokens',
): Promise<Tokenizer> {
  const found = await findTokenizer(path);
  if (!(found instanceof LlamaError)) return found;
  // Only of what is a model can it be said that it runs.
  const { checkpoint } = await openModelFiles(path);
  await checkpoint.close();
  throw withoutText(found, instead);
}

/** `refusal` with the next step. */
export const withoutText = (refusal: LlamaError, instead: string): LlamaError =>
  new LlamaError(refusal.code, `${refusal.message}; the model runs without: ${instead}`, {
    cause: refusal,
  });

/** So many characters are named. */
const NAMED = 8;

/** Names the characters that lose bytes on the way to ids (`Tokenizer.leftOut`). */
export function tellLeftOut(characters: readonly string[], options: Options, io: Io): void {
  if (characters.length === 0 || options.flag('json')) return;
  const more = characters.length > NAMED ? ` and ${characters.length - NAMED} more` : '';
  const names = characters.slice(0, NAMED).map(nameCharacter).join(', ');
  note(
    io,
    `the tokenizer has no pieces for some bytes of ${names}${more}: they are left out, as ` +
      'transformers and llama.cpp leave them out',
  );
}

/** U+0004, as Unicode names a character that one may not see. */
const nameCharacter = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
