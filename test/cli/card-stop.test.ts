/** The stop strings of the card's format; here they are a text that the random model does say. */
import { expect, it, vi } from 'vitest';
import { formatPrompt } from '../../src/text/prompt.js';
import { goldenPath } from '../support/golden.js';
import { json } from './support.js';

vi.mock(import('../../src/text/prompt.js'), async original => ({
  ...(await original()),
  CARD_STOP_STRINGS: ['ter'],
}));

const generate = (...args: string[]) =>
  json(['generate', '--model', goldenPath('gqa'), '--max-new-tokens', '12', ...args]);

it('end the reply to an instruction, as --stop does, and no raw continuation', async () => {
  const raw = ['--raw', '--prompt', formatPrompt([{ role: 'user', content: 'Hi' }])];
  const { text, finish_reason } = await generate(...raw);
  expect([text, finish_reason]).toEqual([expect.stringMatching(/m.*ter/), 'length']);
  const before = { text: text.slice(0, text.indexOf('ter')), finish_reason: 'stop' };
  expect(await generate('--prompt', 'Hi')).toMatchObject(before);
  expect(await generate('--prompt', 'Hi', '--stop', 'm')).toMatchObject({
    text: text.slice(0, text.indexOf('m')),
  });
});
