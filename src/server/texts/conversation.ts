/** The messages of a request, as the ids that the model goes on from. */
import { hasCode } from '../../base/errors.js';
import type { Message } from '../../text/prompt.js';
import { ApiError } from '../errors/api-error.js';
import type { ChatMessage } from '../schemas/chat.js';
import { checkLength, checkRoom } from './room.js';
import type { Served } from './served.js';

/**
 * @param maxTokens that are to follow, if that was said
 * @throws {ApiError} 400 for a conversation that the chat template has no place for, or that is too
 * long
 */
export function encodeMessages(
  { format, model, tokenizer }: Served,
  given: readonly ChatMessage[],
  maxTokens?: number,
): number[] {
  const positions = model.config.maxPositionEmbeddings;
  const messages = given.map(messageOf);
  checkLength(tokenizer, messages.map(({ content }) => content).join(' '), positions, 'messages');
  const ids = aboutMessages(() => format.encode(messages));
  checkRoom(ids.length, maxTokens, positions, 'messages');
  return ids;
}

/** "developer" is the newer word for "system"; parts are joined by newlines. */
function messageOf({ role, content }: ChatMessage): Message {
  return {
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : content.map(({ text }) => text).join('\n'),
  };
}

/** What of `messages` the model is not told, a sentence each. */
export const notToldOf = (messages: readonly ChatMessage[]): string[] =>
  messages.flatMap(({ name }, i) => {
    if (name == null) return [];
    return [`messages[${i}].name is not told to the model; what it is to know is the content`];
  });

/** The text for which /v1/completions computes these ids, and so without the BOS that it adds. */
export function textOfPrompt(ids: readonly number[], { tokenizer }: Served): string {
  const hasBos = tokenizer.addsBos && ids[0] === tokenizer.bosId;
  return tokenizer.decode(hasBos ? ids.slice(1) : ids, { skipSpecial: false });
}

function aboutMessages<T>(encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!hasCode(error, 'BAD_INPUT')) throw error;
    throw new ApiError(400, 'invalid_value', error.message, { param: 'messages', cause: error });
  }
}
