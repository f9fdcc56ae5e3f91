/** An answer with what the stream told next. */
import type { ChatEvent } from '../api/chat-events.js';
import { type Answer, addText } from './conversation.js';

export const NO_ANSWER: Answer = { role: 'assistant', pieces: [] };

/** Tokens are counted along, as the usage comes only if the stream gets to its end. */
export function withEvent(answer: Answer, event: ChatEvent): Answer {
  switch (event.kind) {
    case 'progress':
      return { ...answer, tokens: event.progress.total };
    case 'text': {
      const { text, tokens } = event;
      const pieces = addText(answer.pieces, { text, tokens });
      return { ...answer, pieces, tokens: (answer.tokens ?? 0) + tokens.length };
    }
    case 'end':
      return { ...answer, end: event.reason };
    case 'timings':
      return { ...answer, timings: event.timings };
    case 'usage':
      return { ...answer, tokens: event.usage.total_tokens };
  }
}
