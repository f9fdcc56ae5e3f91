/**
 * How a conversation becomes the ids to continue with the assistant's reply, and what ends that
 * reply: by the model's own chat template where there is one, in the card's format otherwise.
 */

import { check, hasCode, show } from '../../base/errors.js';
import type { LlamaConfig } from '../../model/config.js';
import type { AddedToken } from '../../tokenizer/model/added-tokens.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import {
  CARD_STOP_STRINGS,
  checkContent,
  checkTextFits,
  defaultStopTokenIds,
  encodePrompt,
  formatPrompt,
  type Message,
  type PromptTokenizer,
} from '../prompt.js';
import { ControlTokens, marksFor, unmark } from './control-tokens.js';
import type { ChatTemplate } from './template.js';
import { unusedCharacters } from './unused-characters.js';

/** What ends a reply, as options of `generate`. */
export interface ReplyEnds {
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
}

/** How a conversation becomes a prompt: the card's format, or a chat template. */
export interface ChatFormat {
  /** Undefined for the card's format. */
  readonly template: ChatTemplate | undefined;
  /**
   * The ids of a conversation, up to where the assistant's reply begins. What is written in a
   * message is text, and never becomes a control token.
   *
   * @param positions that the model has, by default any number: what cannot fit is refused before
   * it is tokenized
   * @throws {LlamaError} BAD_INPUT for a conversation that the format has no place for;
   * CONTEXT_OVERFLOW.
   */
  encode(messages: readonly Message[], positions?: number): number[];
  /**
   * What ends a reply in this format.
   *
   * @param config of the model, which may have end-of-text ids of its own
   */
  ends(config: Pick<LlamaConfig, 'eosTokenIds' | 'bosTokenId' | 'vocabSize'>): ReplyEnds;
}

/** What a template needs of `src/tokenizer`. */
export type ChatTokenizer = Pick<
  Tokenizer,
  'addedTokens' | 'specialTokens' | 'encode' | 'leastTokens'
>;

/** The format of the model card; see `formatPrompt`. */
export function cardFormat(tokenizer: PromptTokenizer): ChatFormat {
  return {
    template: undefined,
    encode: (messages, positions = Infinity) => {
      return [...encodePrompt(tokenizer, formatPrompt(messages), { positions })];
    },
    ends: config => ({ stop: CARD_STOP_STRINGS, stopTokenIds: defaultStopTokenIds(config) }),
  };
}

/**
 * The format that `template` gives. As with transformers' `apply_chat_template`, all ids come from
 * its text: BOS is there if the template writes it, and only then.
 *
 * @param specialTokens by the names that templates have for them, such as `bos_token`
 */
export function templateFormat(
  template: ChatTemplate,
  tokenizer: ChatTokenizer,
  specialTokens: Readonly<Record<string, string>>,
): ChatFormat {
  const controls = controlsOf(template, tokenizer);
  const ends = replyEnds(template, specialTokens, controls.ids);
  return {
    template,
    encode: (messages, positions = Infinity) => {
      checkMessages(messages);
      const marks = marksFor([template.source, ...messages.map(({ content }) => content)]);
      const marked = messages.map(({ role, content }) => {
        const tokens = role === 'assistant' ? controls.special : controls.all;
        return { role, content: tokens.mark(content, marks) };
      });
      const renderOrNothing = template.render(marked, specialTokens);
      const { text, literal } = unmark(renderOrNothing, marks, controls.all);
      checkTextFits(tokenizer, text, positions);
      return tokenizer.encode(text, { special: true, literal });
    },
    ends: config => {
      // A token that the files beside add behind the vocabulary is one that the model cannot say.
      const said = ends.filter(id => id < config.vocabSize);
      return { stop: [], stopTokenIds: [...new Set([...defaultStopTokenIds(config), ...said])] };
    },
  };
}

/** The tokens that no message may become. */
interface Controls {
  readonly special: ControlTokens;
  /**
   * With those for text that the template writes, too, such as <think>. The assistant may say them:
   * they are in its replies as it said them, and templates look for them there.
   */
  readonly all: ControlTokens;
  /** By text: those of `all`. */
  readonly ids: ReadonlyMap<string, number>;
}

/** Other added tokens, such as a run of spaces, are found in messages as everywhere. */
function controlsOf(
  { literals }: ChatTemplate,
  { addedTokens, specialTokens }: ChatTokenizer,
): Controls {
  const written = [...literals].join('\0');
  const isWritten = ({ content }: AddedToken) => content.trim() !== '' && written.includes(content);
  const all = [...specialTokens, ...addedTokens.filter(isWritten)];
  return {
    special: new ControlTokens(specialTokens.map(({ content }) => content)),
    all: new ControlTokens(all.map(({ content }) => content)),
    ids: new Map(all.map(({ content, id }) => [content, id])),
  };
}

const ROLES: readonly string[] = ['system', 'user', 'assistant'];

/** What else is wrong with a conversation is for the template to say. */
function checkMessages(messages: readonly Message[]): void {
  check(messages.length > 0, 'BAD_INPUT', () => 'the conversation has no message; give one');
  messages.forEach(({ role, content }, i) => {
    check(ROLES.includes(role), 'BAD_INPUT', () => {
      return `message ${i} has the role ${show(role)}; there are ${ROLES.join(', ')}`;
    });
    checkContent(content, i);
  });
}

/**
 * The ids that end a reply: those of the tokenizer's own ends, and of the control token that the
 * template writes behind a reply that it is shown, such as <|im_end|>. Models are trained to say
 * that one, and their generation_config.json does not always have it.
 */
function replyEnds(
  template: ChatTemplate,
  specialTokens: Readonly<Record<string, string>>,
  controls: ReadonlyMap<string, number>,
): number[] {
  const texts = [specialTokens.eos_token, tokenAfterReply(template, specialTokens, controls)];
  return texts.map(text => controls.get(text ?? '')).filter(id => id !== undefined);
}

function tokenAfterReply(
  template: ChatTemplate,
  specialTokens: Readonly<Record<string, string>>,
  controls: ReadonlyMap<string, number>,
): string | undefined {
  const [reply] = unusedCharacters([template.source], 1);
  const conversation: Message[] = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: reply },
  ];
  const text = rendered(() => template.render(conversation, specialTokens, false));
  const at = text.lastIndexOf(reply);
  const behind = at === -1 ? '' : text.slice(at + reply.length).trimStart();
  const found = [...controls.keys()].filter(token => behind.startsWith(token));
  return found.toSorted((a, b) => b.length - a.length)[0];
}

/** Nothing if the template refuses: it may want other conversations than this one. */
function rendered(render: () => string): string {
  try {
    return render();
  } catch (error) {
    if (hasCode(error, 'BAD_INPUT')) return '';
    throw error;
  }
}
