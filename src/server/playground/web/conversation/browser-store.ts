/** What this browser keeps of the page: conversation and settings, until they are cleared. */

const PREFIX = 'llama-32k.';

export type Kept = 'conversation' | 'settings';

export const load = (name: Kept): string | null => localStorage.getItem(PREFIX + name);

/** False if there is no room for it, or the browser keeps nothing. */
export function save(name: Kept, text: string): boolean {
  try {
    localStorage.setItem(PREFIX + name, text);
    return true;
  } catch {
    return false;
  }
}

export const clear = (name: Kept): void => localStorage.removeItem(PREFIX + name);
