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
