/** The settings beside the conversation; in a narrow window they cover it while they are open. */
import { byId } from './elements.js';

export class SidePanel {
  readonly #panel = byId('settings');
  readonly #opener = byId<HTMLButtonElement>('show-settings');
  readonly #main = byId('main');
  readonly #narrow = matchMedia('(max-width: 899px)');

  constructor() {
    this.#opener.addEventListener('click', () => this.#set(this.#panel.hidden !== false));
    byId('close-settings').addEventListener('click', () => this.#set(false));
    this.#panel.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || !this.#narrow.matches) return;
      event.stopPropagation();
      this.#set(false);
    });
    this.#narrow.addEventListener('change', () => this.#show(!this.#narrow.matches));
    this.#show(!this.#narrow.matches);
  }

  /** Somebody wants it so: the focus goes along. */
  #set(isOpen: boolean): void {
    this.#show(isOpen);
    if (isOpen) byId(this.#narrow.matches ? 'close-settings' : 'system').focus();
    else this.#opener.focus();
  }

  #show(isOpen: boolean): void {
    this.#panel.hidden = !isOpen;
    this.#opener.setAttribute('aria-expanded', String(isOpen));
    this.#main.inert = isOpen && this.#narrow.matches;
  }
}
