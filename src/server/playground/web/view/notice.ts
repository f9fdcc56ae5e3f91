/** What went wrong, above the field, until something goes right. */
import type { Failure } from '../api/failure.js';
import { button, byId, make } from './elements.js';

/** @param retry what to try again, if that can help */
export function showFailure({ code, message, nextStep }: Failure, retry?: () => void): void {
  show(
    [make('code', {}, code), ' ', sentence(message)],
    nextStep,
    retry === undefined ? [] : [button('again', 'Try again', retry)],
  );
}

/** @param action what can be done about it, and its name */
export function showSentence(text: string, name?: string, action?: () => void): void {
  const buttons = name === undefined ? [] : [button('again', name, action!)];
  show([sentence(text)], '', buttons);
}

export function hideNotice(): void {
  byId('notice').replaceChildren();
}

function show(words: readonly (Node | string)[], nextStep: string, actions: readonly Node[]): void {
  byId('notice').replaceChildren(
    make('p', {}, ...words),
    ...(nextStep === '' ? [] : [make('p', {}, nextStep)]),
    make('div', { class: 'actions' }, ...actions, button('close', 'Close', hideNotice)),
  );
}

const sentence = (text: string): string => {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
};
