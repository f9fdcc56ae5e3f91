/**
 * The prompt format of Llama-2-7B-32K-Instruct, to the character, as the code on its model card has
 * it:
 *
 *     "[INST]\n" + instruction + "\n[/INST]\n\n" + reply
 *
 * The tokenizer puts BOS in front.
 *
 * The model has no system prompt. Its prose writes `[\INST]` once; that is a misprint, and other
 * tokens.
 *
 * Nothing is published about a second turn. Here it follows the reply as it is, after a newline if
 * the reply does not end in white space: the text generated so far then stays a prefix of the next
 * prompt.
 *
 * What users write is text and never becomes a control token: the tokenizer has no way from "</s>"
 * to id 2. A "[/INST]" in it, however, reads to the model exactly like ours, for the format is made
 * of ordinary text too. It is left as it is: deleting it would change what was said, and there is
 * no way to escape it.
 */

import { check, show } from '../base/errors.js';
import type { LlamaConfig } from '../model/config.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/** One message of a conversation. The card's format has no place for a system's. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** What `encodePrompt` needs of `src/tokenizer`. */
export interface PromptTokenizer {
  /** The token ids of a text, with BOS in front if asked for. */
  encode(
    text: string,
    options: { readonly bos: boolean; readonly special: boolean },
  ): readonly number[];
  /** Whether a prompt begins with BOS. Default true. */
  readonly addsBos?: boolean;
  /** A number that the ids of `text` reach, told without tokenizing. */
  leastTokens?(text: string): number;
}

/** The beginning of the next turn: a model that goes on after its reply writes this. */
export const CARD_STOP_STRINGS: readonly string[] = ['[INST]'];

/**
 * The ids that end a reply: end of text, and BOS, since the fine-tuning data was packed as BOS +
 * text with nothing after it (OpenChatKit training/tasks/data_loaders/data_utils.py), so that BOS
 * is what came next.
 */
export function defaultStopTokenIds(
  config: Pick<LlamaConfig, 'eosTokenIds' | 'bosTokenId'>,
): number[] {
  return [...config.eosTokenIds, config.bosTokenId].filter(id => id !== undefined);
}

/**
 * A conversation as the text to continue with the assistant's reply. Throws BAD_INPUT unless user
 * and assistant take turns.
 */
export function formatPrompt(messages: readonly Message[]): string {
  messages.forEach(checkMessage);
  check(messages.length % 2 === 1, 'BAD_INPUT', () => {
    return (
      `a conversation of ${messages.length} messages does not end with the user's turn; it ` +
      'must be user, assistant, …, user'
    );
  });
  let text = '';
  for (const { role, content } of messages) {
    if (role === 'assistant') text += content;
    else text += `${separatorAfter(text)}[INST]\n${content}\n[/INST]\n\n`;
  }
  return text;
}

function separatorAfter(text: string): string {
  return text === '' || /\s$/.test(text) ? '' : '\n';
}

function checkMessage({ role, content }: Message, i: number): void {
  check(role !== 'system', 'BAD_INPUT', () => {
    return (
      `message ${i} has the role "system", which this model was not trained on; put its text at ` +
      'the start of the first user message'
    );
  });
  const expected = i % 2 === 0 ? 'user' : 'assistant';
  check(role === expected, 'BAD_INPUT', () => {
    return (
      `message ${i} has the role ${show(role)}; user and assistant must take turns, so it must ` +
      `be "${expected}"`
    );
  });
  checkContent(content, i);
}

/** Throws BAD_INPUT unless the content of message `i` is a string. */
export function checkContent(content: unknown, i: number): void {
  check(
    typeof content === 'string',
    'BAD_INPUT',
    () => `the content of message ${i} is ${show(content)}; it must be a string`,
  );
}

/** How a text becomes a prompt. */
export interface EncodePromptOptions {
  /** That the model has: what cannot fit is refused before it is tokenized. Default: any number. */
  readonly positions?: number;
  /**
   * Whether a special token that the text spells out, such as "</s>", becomes its id. Default
   * false: a "<s>" is three characters, as in what users write it should be.
   */
  readonly special?: boolean;
}

/**
 * BOS, if the model's prompts begin with it, and the ids of `text`.
 * @throws {LlamaError} CONTEXT_OVERFLOW
 */
export function encodePrompt(
  tokenizer: PromptTokenizer,
  text: string,
  { positions = Infinity, special = false }: EncodePromptOptions = {},
): readonly number[] {
  checkTextFits(tokenizer, text, positions);
  return tokenizer.encode(text, { bos: tokenizer.addsBos ?? true, special });
}

/**
 * Throws CONTEXT_OVERFLOW if `text` has more tokens than `positions` in any case, told from its
 * length, without tokenizing it.
 */
export function checkTextFits(
  tokenizer: Pick<PromptTokenizer, 'leastTokens'>,
  text: string,
  positions: number,
): void {
  const least = tokenizer.leastTokens?.(text) ?? 0;
  check(least <= positions, 'CONTEXT_OVERFLOW', () => {
    return (
      `the prompt has ${text.length} characters, which are ${least} tokens or more, and the ` +
      `model has ${positions} positions: shorten the prompt`
    );
  });
}

/** Llama 2's. */
const BOS = '<s>';

const SUSPECTS: readonly { readonly found: string; readonly advice: string }[] = [
  { found: '[\\INST]', advice: 'a misprint on the model card; the model was trained on [/INST]' },
  {
    found: '<<SYS>>',
    advice: 'the system prompt of Llama-2-Chat; Llama-2-7B-32K-Instruct was not trained on one',
  },
];

/** Where special tokens that a text spells out stay text, and the tokenizer has these. */
const PLAIN_TEXT: typeof SUSPECTS = [
  { found: BOS, advice: 'plain text here, not the BOS token, which is added in front anyway' },
  { found: '</s>', advice: 'plain text here, not the end-of-text token' },
];

/** What a prompt is looked at for. */
export interface PromptWarningsOptions {
  /** Whether special tokens that it spells out become their ids, as for `encodePrompt`. */
  readonly special?: boolean;
  /** Which texts are special tokens, and whether BOS is added. Default: Llama 2's. */
  readonly tokenizer?: Pick<Tokenizer, 'addsBos' | 'bosId' | 'idOf' | 'pieces'>;
}

/**
 * What is probably a mistake in a prompt, one sentence each, for a person to read; usually none.
 */
export function promptWarnings(
  text: string,
  { special = false, tokenizer }: PromptWarningsOptions = {},
): string[] {
  const isToken = (content: string) =>
    tokenizer === undefined || tokenizer.idOf(content) !== undefined;
  const plain = PLAIN_TEXT.filter(({ found }) => isToken(found));
  const suspects = special ? SUSPECTS : [...SUSPECTS, ...plain];
  const warnings = suspects
    .filter(({ found }) => text.includes(found))
    .map(({ found, advice }) => `The prompt contains ${found}: ${advice}.`);
  const bos = addedBos(tokenizer);
  if (special && bos !== '' && text.startsWith(bos)) {
    warnings.push(
      `The prompt begins with ${bos}: the BOS token, a second time; one is added anyway.`,
    );
  }
  return warnings;
}

/** The text of the token that prompts begin with; '' if there is none. */
function addedBos(tokenizer: PromptWarningsOptions['tokenizer']): string {
  if (tokenizer === undefined) return BOS;
  const { addsBos, bosId } = tokenizer;
  return addsBos && bosId !== undefined ? tokenizer.pieces([bosId])[0] : '';
}
