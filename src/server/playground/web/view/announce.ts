/** What is said to who listens: one sentence at a time, after what is being said. */
import { byId } from './elements.js';

export function announce(sentence: string): void {
  byId('announcements').textContent = sentence;
}
