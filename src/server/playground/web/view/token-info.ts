/**
 * The probability of a token and what else might have come: beside it, while the pointer is on it,
 * after a tap, and by the arrow keys within an answer.
 */
import type { AnswerToken, ScoredToken } from '../api/answers.js';
import { formatProbability } from '../numbers/format.js';
import { visibleToken } from '../numbers/token-text.js';
import { announce } from './announce.js';
import { byId, make } from './elements.js';

/** From the edge of the window, in pixels. */
const MARGIN = 8;
/** For the pointer's way from a token to what is told of it. */
const LEAVE_MS = 150;

export class TokenInfo {
  readonly #box = byId('token-info');
  readonly #tokensOf: (element: Element) => readonly AnswerToken[] | undefined;
  #shown: HTMLElement | undefined;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  /** @param tokensOf what an element of `list` is of, if it is a piece of an answer */
  constructor(
    list: HTMLElement,
    tokensOf: (element: Element) => readonly AnswerToken[] | undefined,
  ) {
    this.#tokensOf = tokensOf;
    list.addEventListener('pointerover', event => this.#point(event));
    list.addEventListener('pointerout', () => this.#leave());
    list.addEventListener('click', event => this.#point(event));
    list.addEventListener('keydown', event => this.#move(event));
    list.addEventListener('focusout', () => this.hide());
    this.#box.addEventListener('pointerenter', () => clearTimeout(this.#leaving));
    this.#box.addEventListener('pointerleave', () => this.#leave());
    byId('conversation').addEventListener('scroll', () => this.hide());
  }

  get isShown(): boolean {
    return this.#shown !== undefined;
  }

  hide(): void {
    clearTimeout(this.#leaving);
    this.#shown?.classList.remove('current');
    this.#shown = undefined;
    this.#box.hidden = true;
  }

  #point({ target }: Event): void {
    const element = (target as Element).closest<HTMLElement>('.token');
    const tokens = element === null ? undefined : this.#tokensOf(element);
    if (element !== null && tokens !== undefined) this.#show(element, tokens);
  }

  #leave(): void {
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => this.hide(), LEAVE_MS);
  }

  /** Left and right, and to both ends. */
  #move(event: KeyboardEvent): void {
    const text = event.target as HTMLElement;
    if (!text.classList.contains('answer-text') || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const elements = [...text.querySelectorAll<HTMLElement>('.token')];
    const at = this.#shown === undefined ? -1 : elements.indexOf(this.#shown);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: elements.length - 1 }[
      event.key
    ];
    if (to === undefined) return;
    event.preventDefault();
    const element = elements[Math.min(Math.max(to, 0), elements.length - 1)];
    const tokens = element && this.#tokensOf(element);
    if (tokens === undefined) return;
    element.scrollIntoView({ block: 'nearest' });
    this.#show(element, tokens);
    announce(tokens.map(sentenceOf).join('. '));
  }

  #show(element: HTMLElement, tokens: readonly AnswerToken[]): void {
    this.hide();
    this.#shown = element;
    element.classList.add('current');
    this.#box.replaceChildren(...tokens.map(tableOf));
    this.#box.hidden = false;
    this.#place(element.getClientRects()[0] ?? element.getBoundingClientRect());
  }

  /** Below the token if there is room, otherwise above. */
  #place(of: DOMRect): void {
    const { width, height } = this.#box.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const left = Math.min(Math.max(of.left, MARGIN), clientWidth - width - MARGIN);
    const isRoom = of.bottom + MARGIN + height < clientHeight;
    const top = isRoom ? of.bottom + MARGIN : of.top - MARGIN - height;
    this.#box.style.setProperty('left', `${Math.round(left)}px`);
    this.#box.style.setProperty('top', `${Math.round(Math.max(top, MARGIN))}px`);
  }
}

const sentenceOf = ({ token, logprob, top_logprobs: top }: AnswerToken): string => {
  const others = top.filter(other => other.token !== token);
  const told = [{ token, logprob }, ...others].map(
    each => `${visibleToken(each.token)} ${formatProbability(each.logprob)}`,
  );
  return told.join(', ');
};

/** The token, and the likeliest ones in its place; it is among them or comes first. */
function tableOf({ token, logprob, top_logprobs: top }: AnswerToken): HTMLElement {
  const isAmong = top.some(other => other.token === token);
  const scored = isAmong ? top : [{ token, logprob }, ...top];
  return make('table', {}, ...scored.map(each => rowOf(each, each.token === token)));
}

function rowOf({ token, logprob }: ScoredToken, isChosen: boolean): HTMLElement {
  const bar = make('span', { class: 'bar' });
  bar.style.setProperty('--part', String(Math.exp(logprob)));
  return make(
    'tr',
    { class: isChosen ? 'chosen' : undefined },
    make('th', { scope: 'row' }, visibleToken(token)),
    make('td', { class: 'bar-cell' }, bar),
    make('td', {}, formatProbability(logprob)),
  );
}
