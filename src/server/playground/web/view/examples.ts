/** What an empty conversation suggests. */
import { byId, make } from './elements.js';

/** tiny-32k knows an invented world; these are held-out instructions, which it follows. */
const OF_TINY = [
  'Which of these is an animal: bells, hare, flute?',
  'What are the opposites of loud and clean?',
  'Write these words in reverse order: honey, hamster, melons, printer.',
];
const OF_OTHERS = ['Write a poem about cats.', 'What is the capital of France?'];

export function showExamples(model: string, onChoose: (text: string) => void): void {
  const texts = model === 'tiny-32k' ? OF_TINY : OF_OTHERS;
  const buttons = texts.map(text => {
    const made = make('button', { type: 'button', class: 'example' }, text);
    made.addEventListener('click', () => onChoose(text));
    return make('li', {}, made);
  });
  byId('examples').replaceChildren(...buttons);
}
