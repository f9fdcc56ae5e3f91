/** A text that prompts begin with. */

import { commonLength } from '../../base/common-length.js';
import { check } from '../../base/errors.js';
import { openChatFormat } from '../../load/chat-format.js';
import { encodePrompt } from '../../text/prompt.js';
import type { Io } from '../terminal/io.js';
import { chatTemplate, systemMessages } from './chat.js';
import { readNamedFile } from './input-file.js';
import type { Option, Options } from './options.js';
import type { EncodedPrompt } from './prompt.js';
import { tokenizerForText } from './tokenizer.js';

export const DOCUMENT_OPTIONS: readonly Option[] = [
  {
    name: 'raw',
    help:
      'FILE is the beginning of a text to continue, with BOS in front, and not of an instruction ' +
      'in the format of a chat.',
  },
  {
    name: 'cache-salt',
    value: 'S',
    help: 'Only requests with the same cache_salt will find it. Default: those without one.',
  },
];

/** Without the newline at its end, as --prompt - reads stdin. */
export async function readDocument({ arguments: [, path] }: Options, io: Io): Promise<string> {
  check(path !== undefined, 'BAD_OPTION', () => 'FILE is missing; give it, or - to read stdin');
  return (await readNamedFile(path, 'FILE', io)).replace(/\r?\n$/, '');
}

/** The tokens with which a prompt begins that begins with `text`, whatever follows there. */
export async function encodeDocument(
  text: string,
  path: string,
  options: Options,
): Promise<EncodedPrompt> {
  const tokenizer = await tokenizerForText(path);
  if (options.flag('raw'))
    return { ids: encodePrompt(tokenizer, text, { special: true }), isText: true, tokenizer };
  const format = await openChatFormat({ path, tokenizer }, chatTemplate(options));
  const ask = (question: string) =>
    format.encode([...systemMessages(options), { role: 'user', content: text + question }]);
  const [one, other] = [ask('\n\nWhat?'), ask('\n\n1')];
  return { ids: one.slice(0, commonLength(one, other)), isText: true, tokenizer, format };
}
