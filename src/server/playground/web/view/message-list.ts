/** The conversation, as it is shown; it scrolls with what is written, unless somebody scrolled. */
import {
  type Answer,
  contentOf,
  type Message,
  type Question,
} from '../conversation/conversation.js';
import { AnswerView } from './answer-view.js';
import { chip } from './chip.js';
import { copyButton } from './copy.js';
import { button, byId, make } from './elements.js';

/** What can be done with a message, by its place. */
export interface MessageActions {
  regenerate(place: number): void;
  edit(place: number, text: string): void;
}

/** So near to the end, in pixels, it is followed. */
const NEAR = 80;

export class MessageList {
  readonly #list = byId('messages');
  readonly #scroller = byId('conversation');
  readonly #actions: MessageActions;
  #model = 'the model';
  #follows = true;

  constructor(actions: MessageActions) {
    this.#actions = actions;
    this.#scroller.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
      this.#follows = scrollHeight - scrollTop - clientHeight < NEAR;
    });
  }

  /** Whose answers they are. */
  nameModel(model: string): void {
    this.#model = model;
  }

  show(messages: readonly Message[]): void {
    this.#list.replaceChildren();
    byId('welcome').hidden = messages.length > 0;
    messages.forEach((message, place) => {
      if (message.role === 'user') this.#add(this.#questionView(message, place));
      else this.#addAnswered(message, place);
    });
    this.followNow();
  }

  /** An answer that is about to come, as the last message. */
  addAnswer(place: number, answer: () => Answer): AnswerView {
    byId('welcome').hidden = true;
    const view = this.#answerView(answer, place);
    view.showWriting(true);
    this.#add(view.element);
    this.followNow();
    return view;
  }

  /** Scrolls to the end if that was in sight. */
  follow(): void {
    if (this.#follows) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  followNow(): void {
    this.#follows = true;
    this.follow();
  }

  #add(element: HTMLElement): void {
    this.#list.append(make('li', {}, element));
  }

  #addAnswered(answer: Answer, place: number): void {
    const view = this.#answerView(() => answer, place);
    view.showPieces(answer.pieces);
    view.showEnd(answer);
    this.#add(view.element);
  }

  #answerView(answer: () => Answer, place: number): AnswerView {
    const view: AnswerView = new AnswerView(this.#model, [
      copyButton('Answer', () => contentOf(answer())),
      button('again', 'Regenerate', () => this.#actions.regenerate(place)),
      button('edit', 'Edit', () => this.#edit(view.element, contentOf(answer()), place, 'Save')),
    ]);
    return view;
  }

  #questionView(question: Question, place: number): HTMLElement {
    const { text, documents } = question;
    const chips = documents.map(each => chip(each));
    const edit = button('edit', 'Edit', () => this.#edit(article, text, place, 'Send'));
    const article = make(
      'article',
      { class: 'question', 'aria-label': 'You' },
      ...(chips.length > 0 ? [make('ul', { class: 'chips' }, ...chips)] : []),
      make('div', { class: 'question-text' }, text),
      make('footer', {}, make('div', { class: 'actions' }, edit)),
    );
    return article;
  }

  /** A form in place of the message, until it is sent, saved or given up. */
  #edit(article: HTMLElement, text: string, place: number, verb: 'Save' | 'Send'): void {
    const field = make('textarea', { 'aria-label': 'Edit the message', rows: '3' });
    field.value = text;
    const close = () => {
      form.replaceWith(article);
      article.querySelector<HTMLElement>('footer button:last-child')?.focus();
    };
    const cancel = button('close', 'Cancel', close);
    const save = make('button', { type: 'submit', class: 'loud' }, verb);
    const form = make('form', { class: 'edit' }, field, make('footer', {}, save, cancel));
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.#actions.edit(place, field.value);
    });
    form.addEventListener('keydown', event => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      close();
    });
    article.replaceWith(form);
    field.focus();
  }
}
