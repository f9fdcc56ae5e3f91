/** A conversation as this browser keeps it. */
import type { Message } from './conversation.js';

/** To be raised when what is kept changes: what is older is not read. */
const FORMAT = 1;

export const writeConversation = (messages: readonly Message[]): string =>
  JSON.stringify({ format: FORMAT, messages });

/** Undefined if it is not a conversation of this format. */
export function readConversation(text: string): readonly Message[] | undefined {
  try {
    const { format, messages } = JSON.parse(text);
    return format === FORMAT && messages.every(isTurn) ? messages : undefined;
  } catch {
    return undefined;
  }
}

function isTurn(message: Message, i: number): boolean {
  if (i % 2 === 1) return message.role === 'assistant' && message.pieces.every(isPiece);
  return (
    message.role === 'user' &&
    isText(message.text) &&
    message.documents.every(({ name, text }) => isText(name) && isText(text))
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';

const isPiece = (piece: { text: unknown; tokens: unknown }): boolean =>
  isText(piece.text) && Array.isArray(piece.tokens);
