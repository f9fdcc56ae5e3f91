/** An answer: its tokens while they come, and what it cost. */
import type { AnswerToken, PromptProgress } from '../api/answers.js';
import { type Answer, contentOf, type Piece } from '../conversation/conversation.js';
import { formatDuration, formatInteger, formatTokens } from '../numbers/format.js';
import { icon, make } from './elements.js';

const TOKENS = new WeakMap<Element, readonly AnswerToken[]>();

/** What a piece of an answer is made of. */
export const tokensOf = (element: Element): readonly AnswerToken[] | undefined =>
  TOKENS.get(element);

export class AnswerView {
  readonly #text = make('div', { class: 'answer-text' });
  readonly #reading = make('div', { class: 'reading', hidden: true });
  readonly #about = make('p', { class: 'about' });
  readonly #actions = make('div', { class: 'actions' });
  readonly element: HTMLElement;

  constructor(model: string, actions: readonly HTMLElement[]) {
    this.#actions.append(...actions);
    this.element = make(
      'article',
      { class: 'answer', 'aria-label': `Answer of ${model}` },
      this.#reading,
      this.#text,
      make('footer', {}, this.#about, this.#actions),
    );
  }

  /** How far the prompt is read, and how many seconds that will still take if it is known. */
  showProgress({ processed, total }: PromptProgress, left: number | undefined): void {
    const words = `Reading: ${formatInteger(processed)} of ${formatTokens(total)}`;
    const rest = left === undefined ? '' : `, ${formatDuration(left)} left`;
    const bar = make('progress', { max: String(total), value: String(processed) });
    bar.setAttribute('aria-label', 'Reading the prompt');
    this.#reading.replaceChildren(bar, make('span', {}, words + rest));
    this.#reading.hidden = false;
  }

  /** Shows the pieces that there are, of which those before `from` are shown already. */
  showPieces(pieces: readonly Piece[], from = 0): void {
    this.#reading.hidden = true;
    while (this.#text.childElementCount > from) this.#text.lastElementChild!.remove();
    for (const piece of pieces.slice(from)) this.#text.append(elementOf(piece));
  }

  showWriting(isWriting: boolean): void {
    this.element.classList.toggle('writing', isWriting);
    this.#actions.hidden = isWriting;
    if (isWriting) this.element.setAttribute('aria-busy', 'true');
    else this.element.removeAttribute('aria-busy');
  }

  showEnd(answer: Answer): void {
    this.showWriting(false);
    this.#reading.hidden = true;
    const count = answer.pieces.reduce((sum, { tokens }) => sum + tokens.length, 0);
    if (count > 0) this.#letKeysIn(count);
    if (contentOf(answer) === '') this.#text.append(make('em', {}, 'an empty answer'));
    this.#about.textContent = aboutAnswer(answer, count);
  }

  #letKeysIn(count: number): void {
    this.#text.tabIndex = 0;
    this.#text.setAttribute('role', 'group');
    const label = `Text, ${formatTokens(count)}; left and right arrows tell their probabilities`;
    this.#text.setAttribute('aria-label', label);
  }
}

/** The likelier, the fainter is the tint that it has if that is wanted. */
function elementOf({ text, tokens }: Piece): HTMLElement {
  const isEnd = text === '';
  const element = make('span', { class: isEnd ? 'token end' : 'token' }, text);
  if (isEnd) element.append(icon('end'));
  if (tokens.length === 0) {
    element.classList.remove('token');
    return element;
  }
  TOKENS.set(element, tokens);
  const logprob = tokens.reduce((sum, token) => sum + token.logprob, 0);
  element.style.setProperty('--doubt', (1 - Math.exp(logprob)).toFixed(3));
  return element;
}

const ENDS: Readonly<Record<NonNullable<Answer['end']>, string>> = {
  stop: '',
  length: 'ended at the limit',
  stopped: 'stopped',
  failed: 'broken off',
};

function aboutAnswer({ end, timings }: Answer, count: number): string {
  if (end === undefined) return 'edited';
  const speed = timings?.predicted_per_second;
  const parts = [
    formatTokens(count),
    ...(speed ? [`${formatInteger(Math.round(speed))} per second`] : []),
    ...(timings ? [readingOf(timings)] : []),
    ENDS[end],
  ];
  return parts.filter(part => part !== '').join(' · ');
}

function readingOf({ prompt_n, prompt_ms, cache_n }: NonNullable<Answer['timings']>): string {
  const seconds = (prompt_ms / 1000).toFixed(1);
  const known = cache_n === 0 ? '' : `, ${formatInteger(cache_n)} known before`;
  return `read ${formatInteger(prompt_n)} in ${seconds} s${known}`;
}
