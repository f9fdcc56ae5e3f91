/** The page: a conversation with the model, and what can be done with it. */
import type { ServedModel } from './api/answers.js';
import { Server } from './api/server.js';
import { type Connected, Connection } from './connection.js';
import { clear, load, save } from './conversation/browser-store.js';
import type { Answer, Document, Message, Question } from './conversation/conversation.js';
import { readConversation, writeConversation } from './conversation/kept.js';
import { NO_ANSWER } from './conversation/with-event.js';
import { formatInteger } from './numbers/format.js';
import { buildRequest, requestMessages } from './request/build-request.js';
import { readSettings } from './settings/fields.js';
import { showModel } from './view/about-model.js';
import { announce } from './view/announce.js';
import { tokensOf } from './view/answer-view.js';
import { Composer } from './view/composer.js';
import { showFill } from './view/context-meter.js';
import { byId } from './view/elements.js';
import { showExamples } from './view/examples.js';
import { MessageList } from './view/message-list.js';
import { hideNotice, showSentence } from './view/notice.js';
import { requestDialog } from './view/request-dialog.js';
import { SettingsPanel } from './view/settings-panel.js';
import { SidePanel } from './view/side-panel.js';
import { themeSwitch } from './view/theme.js';
import { TokenInfo } from './view/token-info.js';
import { AnswerWriting } from './write-answer.js';

/** A pause in typing, after which tokens are counted. */
const PAUSE_MS = 300;

export class Playground {
  readonly #server = new Server();
  readonly #connection = new Connection(this.#server, connected => this.#start(connected));
  readonly #settings: SettingsPanel;
  readonly #list = new MessageList({
    regenerate: place => void this.#regenerate(place),
    edit: (place, text) => void this.#edit(place, text),
  });
  readonly #composer: Composer;
  readonly #tokenInfo = new TokenInfo(byId('messages'), tokensOf);
  #model: ServedModel | undefined;
  #messages: readonly Message[] = readConversation(load('conversation') ?? '') ?? [];
  #running: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;
  #counting = new AbortController();

  constructor() {
    const onChange = () => {
      save('settings', JSON.stringify(this.#settings.settings));
      this.#countContext();
    };
    this.#settings = new SettingsPanel(keptSettings(), onChange, () => void this.#checkSystem());
    this.#composer = new Composer({
      onSend: question => void this.#send(question),
      onStop: () => void this.#stop(),
      onChange: () => this.#countContext(),
      onUnreadable: sentence => showSentence(sentence),
      measure: document => this.#measure(document),
    });
    new SidePanel();
    themeSwitch();
    requestDialog(() => ({ body: this.#nextRequest(), needsKey: this.#connection.needsKey }));
    byId('new').addEventListener('click', () => void this.#clear());
    byId('tint').addEventListener('click', () => this.#switchTint());
    document.addEventListener('keydown', event => this.#escape(event));
  }

  open(): void {
    this.#list.show(this.#messages);
    void this.#connection.open();
  }

  #start({ model, version }: Connected): void {
    this.#model = model;
    showModel(model, version);
    showExamples(model.id, text => void this.#send({ role: 'user', text, documents: [] }));
    void this.#checkSystem();
    this.#list.nameModel(model.id);
    this.#list.show(this.#messages);
    this.#countContext();
    this.#composer.focus();
  }

  /** Some models have no place for a system text: better said at once than later. */
  async #checkSystem(): Promise<void> {
    const isNone = this.#settings.settings.system === '';
    this.#settings.showSystem(isNone ? undefined : await this.#server.whyNoSystem());
  }

  #send(question: Question): Promise<void> {
    return this.#ask(this.#messages, question, () => this.#composer.put(question));
  }

  async #regenerate(place: number): Promise<void> {
    const before = this.#messages;
    const question = before[place - 1] as Question;
    await this.#ask(before.slice(0, place - 1), question, () => this.#keep(before));
  }

  /** What follows a question is asked for anew; an answer only reads otherwise. */
  async #edit(place: number, text: string): Promise<void> {
    const old = this.#messages[place];
    if (old.role === 'user') {
      const question = { ...old, text };
      const before = this.#messages.slice(0, place);
      return this.#ask(before, question, () => this.#composer.put(question));
    }
    const edited: Answer = { role: 'assistant', pieces: [{ text, tokens: [] }] };
    this.#keep(this.#messages.with(place, edited));
    this.#list.show(this.#messages);
  }

  /** @param onNothing when there is no token of an answer: nothing that was asked is lost */
  async #ask(before: readonly Message[], question: Question, onNothing: () => void) {
    await this.#stop();
    hideNotice();
    const controller = new AbortController();
    const asked = [...before, question];
    const ended = this.#write(asked, controller.signal).then(({ answer, error }) => {
      this.#running = undefined;
      this.#composer.showWriting(false);
      const isNothing = answer.pieces.length === 0 && answer.end !== 'stop';
      this.#keep(isNothing ? before : [...asked, answer]);
      if (isNothing) onNothing();
      if (isNothing) this.#list.show(this.#messages);
      if (error !== undefined) this.#connection.fail(error, () => this.#retry(asked.length));
    });
    this.#running = { controller, ended };
    await ended;
  }

  /** What was asked is in the conversation, or went back to where it was written. */
  #retry(place: number): void {
    if (this.#messages.length > place) void this.#regenerate(place);
    else this.#composer.submit();
  }

  /** Asks the server, and shows what it answers until the end, or until something goes wrong. */
  async #write(asked: readonly Message[], signal: AbortSignal) {
    this.#tokenInfo.hide();
    this.#composer.showWriting(true);
    this.#list.show(asked);
    let answer = NO_ANSWER;
    const writing = new AnswerWriting(this.#list.addAnswer(asked.length, () => answer));
    let error: unknown;
    try {
      const request = buildRequest(this.#name, this.#settings.settings, asked);
      for await (const event of this.#server.chat(request, signal)) {
        writing.take(event);
        this.#showFill(writing.answer.tokens ?? 0);
        this.#list.follow();
      }
      answer = writing.finish();
    } catch (thrown) {
      if (!signal.aborted) error = thrown;
      answer = writing.finish(signal.aborted ? 'stopped' : 'failed');
    }
    this.#list.follow();
    return { answer, error };
  }

  get #name(): string {
    return this.#model?.id ?? 'llama-32k';
  }

  async #stop(): Promise<void> {
    this.#running?.controller.abort();
    await this.#running?.ended;
  }

  #keep(messages: readonly Message[]): void {
    this.#messages = messages;
    this.#countContext();
    if (save('conversation', writeConversation(messages))) return;
    showSentence('the conversation is too large to be kept here: it is lost when the page closes');
  }

  async #clear(): Promise<void> {
    await this.#stop();
    const before = this.#messages;
    this.#messages = [];
    clear('conversation');
    this.#list.show([]);
    this.#countContext();
    this.#composer.focus();
    if (before.length === 0) return;
    showSentence('a new conversation has begun', 'Bring the old one back', () => {
      hideNotice();
      this.#keep(before);
      this.#list.show(before);
    });
  }

  #switchTint(): void {
    const isOn = byId('messages').classList.toggle('tinted');
    byId('tint').setAttribute('aria-pressed', String(isOn));
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || byId<HTMLDialogElement>('request').open) return;
    if (this.#tokenInfo.isShown) this.#tokenInfo.hide();
    else if (this.#running !== undefined) {
      announce('Stopping');
      void this.#stop();
    }
  }

  /** What would be sent now, or was sent last. */
  #nextRequest() {
    const { question } = this.#composer;
    const last = this.#messages.at(-1)?.role === 'assistant' ? this.#messages.slice(0, -1) : [];
    const messages = question === undefined ? last : [...this.#messages, question];
    return buildRequest(this.#name, this.#settings.settings, messages);
  }

  /** Of the conversation by the usage of its last answer; with a draft by the prompt itself. */
  #countContext(): void {
    this.#counting.abort();
    this.#counting = new AbortController();
    const { signal } = this.#counting;
    const last = this.#messages.at(-1) as Answer | undefined;
    if (this.#composer.question === undefined && (last === undefined || last.tokens)) {
      this.#showFill(last?.tokens ?? 0);
      return;
    }
    const pause = setTimeout(() => void this.#countPrompt(signal), PAUSE_MS);
    signal.addEventListener('abort', () => clearTimeout(pause));
  }

  async #countPrompt(signal: AbortSignal): Promise<void> {
    const { question } = this.#composer;
    const messages = question === undefined ? this.#messages : [...this.#messages, question];
    const { system } = this.#settings.settings;
    try {
      const count = this.#server.countMessages(requestMessages(system, messages), signal);
      this.#showFill(await count);
    } catch {
      if (!signal.aborted) showFill(undefined); // whoever sends it is told why
    }
  }

  #showFill(used: number): void {
    const limit = this.#model?.meta.n_ctx;
    showFill(limit === undefined ? undefined : { used, limit });
  }

  async #measure({ text }: Document) {
    const tokens = await this.#server.countText(text);
    const limit = this.#model?.meta.n_ctx ?? Infinity;
    const isTooLong = tokens >= limit;
    const numbers = `${formatInteger(tokens)} tokens, and the context has ${formatInteger(limit)}`;
    return { tokens, whyTooLong: isTooLong ? numbers : undefined };
  }
}

function keptSettings() {
  try {
    return readSettings(JSON.parse(load('settings') ?? 'null'));
  } catch {
    return readSettings(null);
  }
}
