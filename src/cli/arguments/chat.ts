/** --chat-template and --system: what is put around the messages of a person. */
import type { Message } from '../../text/prompt.js';
import type { Option, Options } from './options.js';

export const CHAT_OPTIONS: readonly Option[] = [
  {
    name: 'chat-template',
    value: 'T',
    help:
      "In place of the model's own chat template: card, the model card's format, or a file with " +
      'a Jinja template.',
  },
  {
    name: 'system',
    value: 'TEXT',
    help:
      'A system prompt, in front of the conversation, if the chat template has a place for it; ' +
      "the model card's format has none.",
  },
];

/** What `openChatFormat` takes as its choice. */
export const chatTemplate = (options: Options): string | undefined => options.text('chat-template');

/** The beginning of a conversation: what --system says, or nothing. */
export function systemMessages(options: Options): Message[] {
  const content = options.text('system');
  return content === undefined ? [] : [{ role: 'system', content }];
}
