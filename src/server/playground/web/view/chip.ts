/** A document, as a chip. */
import type { Document } from '../conversation/conversation.js';
import { icon, make } from './elements.js';

/** @param more what is behind the name */
export const chip = ({ name }: Document, ...more: readonly HTMLElement[]): HTMLLIElement =>
  make('li', { class: 'chip' }, icon('file'), make('span', { class: 'name' }, name), ...more);
