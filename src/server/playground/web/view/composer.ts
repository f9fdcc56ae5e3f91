/** Where a question is written, with the documents in front of it. */
import type { Document, Question } from '../conversation/conversation.js';
import { readDocument } from '../documents/read-document.js';
import { formatTokens } from '../numbers/format.js';
import { announce } from './announce.js';
import { chip } from './chip.js';
import { byId, icon, make } from './elements.js';

export interface ComposerEvents {
  onSend(question: Question): void;
  onStop(): void;
  onChange(): void;
  /** What a file is not, in a sentence. */
  onUnreadable(sentence: string): void;
  /** How many tokens a document has, and whether that is too many. */
  measure(document: Document): Promise<{ tokens: number; whyTooLong: string | undefined }>;
}

export class Composer {
  readonly #form = byId<HTMLFormElement>('composer');
  readonly #field = byId<HTMLTextAreaElement>('draft');
  readonly #files = byId<HTMLInputElement>('files');
  readonly #chips = byId('draft-documents');
  readonly #send = byId<HTMLButtonElement>('send');
  readonly #stop = byId<HTMLButtonElement>('stop');
  readonly #events: ComposerEvents;
  #documents: readonly Document[] = [];

  constructor(events: ComposerEvents) {
    this.#events = events;
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      this.submit();
    });
    this.#field.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.#field.addEventListener('input', () => this.#changed());
    this.#stop.addEventListener('click', () => events.onStop());
    byId('attach').addEventListener('click', () => this.#files.click());
    this.#files.addEventListener('change', () => {
      void this.#addFiles([...(this.#files.files ?? [])]);
      this.#files.value = ''; // so that the same file can be chosen again
    });
    this.#takeDrops();
  }

  /** What would be sent; undefined if there is nothing. */
  get question(): Question | undefined {
    const text = this.#field.value;
    if (text.trim() === '' && this.#documents.length === 0) return undefined;
    return { role: 'user', text, documents: this.#documents };
  }

  /** Puts a question in front of what is written. */
  put({ text, documents }: Question): void {
    this.#field.value = [text, this.#field.value].filter(each => each !== '').join('\n\n');
    this.#documents = [...documents, ...this.#documents];
    this.#showDocuments();
    this.#changed();
  }

  showWriting(isWriting: boolean): void {
    const hadFocus = document.activeElement === (isWriting ? this.#send : this.#stop);
    this.#send.hidden = isWriting;
    this.#stop.hidden = !isWriting;
    if (hadFocus) (isWriting ? this.#stop : this.#field).focus();
  }

  focus(): void {
    this.#field.focus();
  }

  /** Sends what is written, if there is something and no answer is being written. */
  submit(): void {
    const { question } = this;
    if (question === undefined || !this.#stop.hidden) return;
    this.#field.value = '';
    this.#documents = [];
    this.#showDocuments();
    this.#changed();
    this.#events.onSend(question);
  }

  #changed(): void {
    this.#field.style.setProperty('height', 'auto');
    this.#field.style.setProperty('height', `${this.#field.scrollHeight + 2}px`);
    this.#events.onChange();
  }

  #takeDrops(): void {
    const isDrop = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files');
    document.addEventListener('dragover', event => {
      if (!isDrop(event)) return;
      event.preventDefault();
      document.body.classList.add('dropping');
    });
    document.addEventListener('dragleave', event => {
      if (event.relatedTarget === null) document.body.classList.remove('dropping');
    });
    document.addEventListener('drop', event => {
      if (!isDrop(event)) return;
      event.preventDefault();
      document.body.classList.remove('dropping');
      void this.#addFiles([...event.dataTransfer!.files]);
    });
  }

  async #addFiles(files: readonly File[]): Promise<void> {
    for (const file of files) {
      try {
        this.#documents = [...this.#documents, await readDocument(file)];
        announce(`${file.name} is a document in front of the question`);
      } catch (error) {
        this.#events.onUnreadable((error as Error).message);
      }
    }
    this.#showDocuments();
    this.#changed();
    this.focus();
  }

  #showDocuments(): void {
    this.#chips.replaceChildren(...this.#documents.map(each => this.#chipOf(each)));
  }

  #chipOf(given: Document): HTMLElement {
    const count = make('span', { class: 'count' }, '…');
    const remove = make(
      'button',
      { type: 'button', 'aria-label': `Remove ${given.name}` },
      icon('close'),
    );
    const shown = chip(given, count, remove);
    remove.addEventListener('click', () => {
      this.#documents = this.#documents.filter(each => each !== given);
      shown.remove();
      this.#changed();
      this.focus();
    });
    void this.#events.measure(given).then(
      ({ tokens, whyTooLong }) => {
        count.textContent = whyTooLong ?? formatTokens(tokens);
        shown.classList.toggle('wrong', whyTooLong !== undefined);
        if (whyTooLong !== undefined) announce(`${given.name}: ${whyTooLong}`);
      },
      () => (count.textContent = 'not counted'),
    );
    return shown;
  }
}
