/** The prompt of `generate` and `logits`: token ids, a text as it is, or an instruction. */
import { check, type LlamaError } from '../../base/errors.js';
import { openChatFormat } from '../../load/chat-format.js';
import { findTokenizer } from '../../load/find-tokenizer.js';
import { type LoadedForIds, loadForIds, loadModel } from '../../load/model.js';
import type { LoadOptions } from '../../load/options.js';
import type { ChatFormat } from '../../text/chat/format.js';
import { encodePrompt, type Message, promptWarnings } from '../../text/prompt.js';
import { Tokenizer } from '../../tokenizer/tokenizer.js';
import { readStdin } from '../terminal/input.js';
import { type Io, note } from '../terminal/io.js';
import { CHAT_OPTIONS, chatTemplate, systemMessages } from './chat.js';
import { readInputFile, TOKENS_FILE } from './input-file.js';
import type { Option, Options } from './options.js';
import { parseIntegers } from './token-list.js';
import { tellLeftOut, tokenizerForText } from './tokenizer.js';

export const PROMPT_OPTIONS: readonly Option[] = [
  {
    name: 'prompt',
    value: 'TEXT',
    help:
      "An instruction, which the model's chat template puts into its format, or the model card's " +
      'if there is none. - reads stdin, without the newline at its end.',
  },
  ...CHAT_OPTIONS,
  {
    name: 'raw',
    help:
      'The prompt is text to continue, as it is; only BOS is put in front, if texts of this ' +
      'model begin with it. Special tokens that it spells out, such as </s>, become their ids, ' +
      'as with tokenize --special.',
  },
  {
    name: 'tokens',
    value: 'IDS',
    help: 'In place of a prompt: token ids, such as 1,2,3, as they are; no BOS is added.',
  },
  TOKENS_FILE,
];

/** For the help of a verb that takes them. */
export const NO_TOKENIZER =
  'A model without a tokenizer, or with one that is not known, takes --tokens and --tokens-file, ' +
  'and ids are printed in place of text.';

/** One of them is there. */
export interface Prompt {
  readonly tokens?: readonly number[];
  /** To be continued as it is. */
  readonly text?: string;
  /** To be answered. */
  readonly messages?: readonly Message[];
}

/** All that the person wrote, if it is a text. */
export const writtenText = ({ text, messages }: Prompt): string | undefined =>
  text ?? messages?.map(({ content }) => content).join('');

/** Throws BAD_OPTION unless exactly one kind of prompt is given. */
export async function readPrompt(options: Options, io: Io): Promise<Prompt> {
  const given = ['prompt', 'tokens', 'tokens-file'].filter(
    name => options.text(name) !== undefined,
  );
  check(given.length === 1, 'BAD_OPTION', () => {
    const found =
      given.length === 0 ? 'there is no prompt' : given.map(name => `--${name}`).join(' and ');
    return `${found}; give one of --prompt, --tokens, --tokens-file`;
  });
  const isChat = given[0] === 'prompt' && !options.flag('raw');
  for (const { name } of isChat ? [] : CHAT_OPTIONS) {
    check(options.text(name) === undefined, 'BAD_OPTION', () => {
      return `--${name} has no effect without an instruction: give --prompt, and not --raw`;
    });
  }
  if (given[0] === 'prompt') {
    const text = await promptText(options, io);
    if (!isChat) return { text };
    return { messages: [...systemMessages(options), { role: 'user', content: text }] };
  }
  check(
    !options.flag('raw'),
    'BAD_OPTION',
    () => `--raw goes with --prompt; --${given[0]} is taken as it is anyway`,
  );
  if (given[0] === 'tokens') return { tokens: parseIntegers(options.text('tokens')!, '--tokens') };
  return {
    tokens: parseIntegers(await readInputFile(options, 'tokens-file', io), '--tokens-file'),
  };
}

async function promptText(options: Options, io: Io): Promise<string> {
  const given = options.text('prompt')!;
  return given === '-' ? promptFromStdin(io) : given;
}

/** A prompt as ids, and for an instruction the format that it has then. */
export interface EncodedPrompt {
  readonly ids: readonly number[];
  /** Whether it was a text, which needs a tokenizer, and not ids. */
  readonly isText: boolean;
  readonly tokenizer: Tokenizer | LlamaError;
  readonly format?: ChatFormat;
}

/** Tells what is probably a mistake, unless --json is given. */
export async function encodeGiven(
  { tokens, text, messages }: Prompt,
  path: string,
  options: Options,
  io: Io,
): Promise<EncodedPrompt> {
  if (tokens !== undefined) {
    return { ids: tokens, isText: false, tokenizer: await findTokenizer(path) };
  }
  const tokenizer = await tokenizerForText(path);
  if (messages === undefined) {
    tellWarnings(text!, tokenizer, options, io);
    tellLeftOut(tokenizer.leftOut(text!, { special: true }), options, io);
    const ids = encodePrompt(tokenizer, text!, { special: true });
    tellTokens(tokenizer.addsBos ? ids.slice(1) : ids, tokenizer, options, io);
    return { ids, isText: true, tokenizer };
  }
  const format = await openChatFormat({ path, tokenizer }, chatTemplate(options));
  if (format.template === undefined) tellWarnings(messages.at(-1)!.content, tokenizer, options, io);
  tellLeftOut(tokenizer.leftOut(writtenText({ messages })!), options, io);
  return { ids: format.encode(messages), isText: true, tokenizer, format };
}

/** The model for it, which for ids need not have a tokenizer. */
export function loadGiven(
  { isText, tokenizer }: EncodedPrompt,
  path: string,
  engine: LoadOptions,
): Promise<LoadedForIds> {
  return isText && tokenizer instanceof Tokenizer
    ? loadModel(path, engine, tokenizer)
    : loadForIds(path, tokenizer, engine);
}

function tellWarnings(text: string, tokenizer: Tokenizer, options: Options, io: Io): void {
  if (options.flag('json')) return;
  const isRaw = options.flag('raw');
  for (const warning of promptWarnings(text, { special: isRaw, tokenizer })) note(io, warning);
  if (!isRaw && text.includes('[/INST]'))
    note(io, 'The prompt has [/INST] in it already; --raw takes it as it is.');
}

/** Names the special tokens that a raw prompt spells out, and that are not text therefore. */
function tellTokens(ids: readonly number[], tokenizer: Tokenizer, options: Options, io: Io): void {
  const found = tokenizer.specialTokens.filter(({ id }) => ids.includes(id));
  if (found.length === 0 || options.flag('json')) return;
  const names = found.map(({ content }) => content).join(', ');
  note(io, `In the prompt these are tokens, not text: ${names}.`);
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
