/** One answer, from the stream into its view, and told to who listens. */
import type { ChatEvent } from './api/chat-events.js';
import { type Answer, contentOf } from './conversation/conversation.js';
import { NO_ANSWER, withEvent } from './conversation/with-event.js';
import { formatDuration, formatTokens } from './numbers/format.js';
import { type Reading, secondsLeft } from './numbers/time-left.js';
import { announce } from './view/announce.js';
import type { AnswerView } from './view/answer-view.js';

/** A prompt this long is worth a word, and then one every so many seconds. */
const LONG_PROMPT = 1000;
const WORD_EVERY_SECONDS = 30;
/** Of an answer that is read out when it is there. */
const READ_OUT_CHARACTERS = 400;

export class AnswerWriting {
  readonly #view: AnswerView;
  readonly #readings: Reading[] = [];
  #answer = NO_ANSWER;
  #toldAt = -Infinity;

  constructor(view: AnswerView) {
    this.#view = view;
  }

  /** As far as it is written. */
  get answer(): Answer {
    return this.#answer;
  }

  take(event: ChatEvent): void {
    const shown = this.#answer.pieces;
    this.#answer = withEvent(this.#answer, event);
    if (event.kind === 'progress') this.#showProgress(event);
    if (event.kind !== 'text') return;
    const { pieces } = this.#answer;
    const isJoined = pieces.length === shown.length;
    this.#view.showPieces(pieces, isJoined ? shown.length - 1 : shown.length);
  }

  /** @param end if the model did not come to one */
  finish(end?: 'stopped' | 'failed'): Answer {
    if (end !== undefined) this.#answer = { ...this.#answer, end };
    this.#view.showEnd(this.#answer);
    announce(this.#lastWord());
    return this.#answer;
  }

  #showProgress({ progress }: Extract<ChatEvent, { kind: 'progress' }>): void {
    const { processed, total, time_ms } = progress;
    this.#readings.push({ tokens: processed, seconds: time_ms / 1000 });
    const left = secondsLeft(this.#readings, total);
    this.#view.showProgress(progress, left);
    const isTime = time_ms / 1000 >= this.#toldAt + WORD_EVERY_SECONDS;
    if (total < LONG_PROMPT || processed === total || !isTime) return;
    this.#toldAt = time_ms / 1000;
    const rest = left === undefined ? '' : `, ${formatDuration(left)} left`;
    announce(`Reading ${formatTokens(total)}, ${Math.floor((100 * processed) / total)}%${rest}`);
  }

  #lastWord(): string {
    const text = contentOf(this.#answer);
    const how = this.#answer.end === 'stopped' ? 'Stopped.' : 'The answer is complete.';
    return text.length <= READ_OUT_CHARACTERS ? `${how} ${text}` : how;
  }
}
