/** A conversation: question and answer take turns, and it never has anything else. */
import type { AnswerToken, FinishReason, Timings } from '../api/answers.js';

/** A text file in front of a question. */
export interface Document {
  readonly name: string;
  readonly text: string;
}

export interface Question {
  readonly role: 'user';
  readonly text: string;
  readonly documents: readonly Document[];
}

/** A piece of an answer: the text of one token, or of several that make a character together. */
export interface Piece {
  readonly text: string;
  readonly tokens: readonly AnswerToken[];
}

export interface Answer {
  readonly role: 'assistant';
  readonly pieces: readonly Piece[];
  /** Undefined for one that somebody wrote over. */
  readonly end?: FinishReason | 'stopped' | 'failed';
  /** Of prompt and answer, as far as the server told it. */
  readonly tokens?: number;
  readonly timings?: Timings;
}

export type Message = Question | Answer;

/** What the model is given as the content of a message. */
export function contentOf(message: Message): string {
  if (message.role === 'assistant') return message.pieces.map(({ text }) => text).join('');
  return [...message.documents, { text: message.text }].map(({ text }) => text).join('\n\n');
}

/**
 * The pieces with what the next event brought. What comes without text belongs to the piece behind
 * it; at the end of an answer it stays a piece without text.
 */
export function addText(pieces: readonly Piece[], next: Piece): readonly Piece[] {
  const last = pieces.at(-1);
  if (last === undefined || last.text !== '') return [...pieces, next];
  return [...pieces.slice(0, -1), { text: next.text, tokens: [...last.tokens, ...next.tokens] }];
}
