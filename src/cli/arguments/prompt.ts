/** The prompt of `generate` and `logits`: token ids, or text in the card's format or as it is. */
import { createReadStream } from 'node:fs';
import { check, LlamaError } from '../../base/errors.js';
import { formatPrompt, promptWarnings } from '../../text/prompt.js';
import { type Io, note, readStdin, readText } from '../terminal/io.js';
import type { Option, Options } from './options.js';
import { parseIntegers } from './token-list.js';

export const PROMPT_OPTIONS: readonly Option[] = [
  {
    name: 'prompt',
    value: 'TEXT',
    help:
      "An instruction, which is put into the model card's format; BOS is put in front. - reads " +
      'stdin, without the newline at its end.',
  },
  { name: 'raw', help: 'The prompt is text to continue, as it is; only BOS is put in front.' },
  {
    name: 'tokens',
    value: 'IDS',
    help: 'In place of a prompt: token ids, such as 1,2,3, as they are; no BOS is added.',
  },
  {
    name: 'tokens-file',
    value: 'F',
    help:
      'A file of token ids, with commas, spaces or newlines between, or a JSON array; - reads ' +
      'stdin.',
  },
];

/** One of them is there. */
export interface Prompt {
  readonly tokens?: readonly number[];
  /** In the card's format, unless it is raw. */
  readonly text?: string;
}

/** Throws BAD_OPTION unless exactly one kind of prompt is given. */
export async function readPrompt(options: Options, io: Io): Promise<Prompt> {
  const given = ['prompt', 'tokens', 'tokens-file'].filter(
    name => options.text(name) !== undefined,
  );
  check(given.length === 1, 'BAD_OPTION', () => {
    const found =
      given.length === 0 ? 'none is given' : given.map(name => `--${name}`).join(' and ');
    return `${found}; give one of --prompt, --tokens, --tokens-file`;
  });
  if (given[0] === 'prompt') return { text: await promptText(options, io) };
  check(
    !options.flag('raw'),
    'BAD_OPTION',
    () => `--raw goes with --prompt; --${given[0]} is taken as it is anyway`,
  );
  if (given[0] === 'tokens') return { tokens: parseIntegers(options.text('tokens')!, '--tokens') };
  return {
    tokens: parseIntegers(await readTokensFile(options.text('tokens-file')!, io), '--tokens-file'),
  };
}

async function promptText(options: Options, io: Io): Promise<string> {
  const given = options.text('prompt')!;
  const text = given === '-' ? await promptFromStdin(io) : given;
  const isRaw = options.flag('raw');
  if (!options.flag('json')) {
    for (const warning of promptWarnings(text)) note(io, warning);
    if (!isRaw && text.includes('[/INST]'))
      note(io, 'The prompt has [/INST] in it already; --raw takes it as it is.');
  }
  return isRaw ? text : formatPrompt([{ role: 'user', content: text }]);
}

/**
 * Without the newline that echo, editors and here-documents put at the end; only that one, others
 * may be meant.
 */
async function promptFromStdin(io: Io): Promise<string> {
  const text = (await readStdin(io)).replace(/\r?\n$/, '');
  check(text !== '', 'BAD_INPUT', () => '--prompt -: stdin is empty; write the prompt into it');
  return text;
}

async function readTokensFile(path: string, io: Io): Promise<string> {
  if (path === '-') return readStdin(io);
  try {
    return await readText(createReadStream(path), path);
  } catch (error) {
    if (error instanceof LlamaError) throw error;
    throw new LlamaError('BAD_OPTION', `--tokens-file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
