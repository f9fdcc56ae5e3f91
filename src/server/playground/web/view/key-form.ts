/** The field for an API key, shown when the server wants one. */
import { byId } from './elements.js';

const KEY = 'llama-32k.key';

/** The key that was given in this tab, which forgets it when it is closed. */
export const knownKey = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;

export function keyForm(onKey: (key: string) => void): void {
  byId<HTMLFormElement>('key-form').addEventListener('submit', event => {
    event.preventDefault();
    const key = byId<HTMLInputElement>('key').value.trim();
    if (key === '') return;
    sessionStorage.setItem(KEY, key);
    onKey(key);
  });
}

export function showKeyForm(isShown: boolean): void {
  byId('key-form').hidden = !isShown;
  if (isShown) byId('key').focus();
}
