/** The next request, as a command and as a program, to be copied. */

import type { ChatRequest } from '../api/chat-request.js';
import { asCurl } from '../request/as-curl.js';
import { asTypeScript } from '../request/as-typescript.js';
import { copyButton } from './copy.js';
import { byId, make } from './elements.js';

/** @param request the one that would be sent now, and whether it needs a key */
export function requestDialog(request: () => { body: ChatRequest; needsKey: boolean }): void {
  const dialog = byId<HTMLDialogElement>('request');
  byId('show-request').addEventListener('click', () => {
    const { body, needsKey } = request();
    byId('request-texts').replaceChildren(
      section('curl', asCurl(location.origin, body, needsKey)),
      section('TypeScript', asTypeScript(location.origin, body, needsKey)),
    );
    dialog.showModal();
  });
  byId('close-request').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', event => {
    if (event.target === dialog) dialog.close(); // beside it
  });
}

const section = (title: string, text: string): HTMLElement =>
  make(
    'section',
    { 'aria-label': title },
    make(
      'header',
      {},
      make('h3', {}, title),
      copyButton(title, () => text),
    ),
    make('pre', { tabindex: '0' }, make('code', {}, text)),
  );
