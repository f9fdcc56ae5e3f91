/** golden/chat: templates, conversations, and what transformers makes of them. */
import { readFileSync } from 'node:fs';
import type { Message } from '../../../src/text/prompt.js';
import { goldenPath } from '../../support/golden.js';

export interface ChatCase {
  readonly template: string;
  readonly messages: readonly Message[];
  /** Why transformers refuses the conversation; then there is nothing else. */
  readonly error?: string;
  readonly text: string;
  /** Without add_generation_prompt. */
  readonly without_prompt: string;
  readonly ids: readonly number[];
}

export const goldenChat: {
  readonly templates: Readonly<Record<string, string>>;
  readonly cases: readonly ChatCase[];
  /** Control tokens in messages; ids of `sanitize_control_tokens`. */
  readonly hostile: readonly Pick<ChatCase, 'template' | 'messages' | 'ids'>[];
} = JSON.parse(readFileSync(goldenPath('chat/cases.json'), 'utf8'));

/** Those of the golden tokenizer. */
export const SPECIAL_TOKENS = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' };

/** SmolLM2's own, and one that does what Llama 3.2's does. */
export type TemplateName = 'smollm2' | 'llama-3.2';

/** Texts by the name of the template; `ids` is a checksum of SmolLM2's. */
export interface Conversation extends Readonly<Record<TemplateName, string>> {
  readonly messages: readonly Message[];
  readonly ids: string;
  readonly tokens: number;
}

export const goldenConversations: {
  /** The day on which the texts were written. */
  readonly date: string;
  readonly templates: Readonly<Record<TemplateName, string>>;
  readonly cases: readonly Conversation[];
} = JSON.parse(readFileSync(goldenPath('conversations/cases.json'), 'utf8'));
