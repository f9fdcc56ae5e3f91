/** A button that copies a text, and says whether it did. */
import { announce } from './announce.js';
import { button } from './elements.js';

const SHOWN_MS = 1500;

/** @param what it copies, for its name: "Copy answer" */
export function copyButton(what: string, text: () => string): HTMLButtonElement {
  const made = button('copy', 'Copy', async () => {
    const done = await copyText(text());
    announce(done ? `${what} copied` : `${what} could not be copied: the browser forbids it`);
    made.lastChild!.textContent = done ? 'Copied' : 'Not allowed';
    setTimeout(() => (made.lastChild!.textContent = 'Copy'), SHOWN_MS);
  });
  made.setAttribute('aria-label', `Copy ${what.toLowerCase()}`);
  return made;
}

/** Over plain HTTP from another machine a browser has no clipboard. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
