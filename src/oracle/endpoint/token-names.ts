/** Texts and tokens, as servers have them that name tokens by texts, or take only texts. */
import { encodePrompt } from '../../text/prompt.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import type { AskOptions } from './asked.js';

/** How OpenAI writes a token that is a part of a character: `bytes:\xe2\x82`. */
const BYTES = /^bytes:((?:\\x[0-9a-f]{2})+)$/i;

/** The two options of `askEndpoint` that a tokenizer decides. */
export function tokenNames(tokenizer: Tokenizer): Pick<AskOptions, 'tokenOf' | 'textOf'> {
  const ids = new Map<string, number | undefined>([['', undefined]]);
  const parts = new Set<string>();
  const add = (name: string, id: number) => ids.set(name, ids.has(name) ? undefined : id);
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const { text, bytes } = tokenizer.tokenOf(id);
    add(text ?? keyOfBytes(Buffer.from(bytes).toString('hex')), id);
    if (text === undefined) parts.add(wholeOf(bytes));
  }
  return {
    tokenOf(piece, isExact = false) {
      if (!isExact && parts.has(piece)) return undefined;
      const hex = BYTES.exec(piece)?.[1].replaceAll('\\x', '').toLowerCase();
      return ids.get(hex === undefined ? piece : keyOfBytes(hex));
    },
    textOf(tokens) {
      const text = tokenizer.decode(tokens);
      const read = encodePrompt(tokenizer, text, { special: true });
      const isSame = read.length === tokens.length && read.every((id, i) => id === tokens[i]);
      return isSame ? text : undefined;
    },
  };
}

/**
 * The characters of a token that are whole, which is how some servers name it (llama-cpp-python),
 * as if it were another one.
 */
const wholeOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll('\ufffd', '');

/** No token's text. */
const keyOfBytes = (hex: string) => `\0bytes ${hex}`;
