/** `range` of templates: Python's, with the bound of jinja2's sandbox (MAX_RANGE). */
import { expect, it } from 'vitest';
import { ChatTemplate } from '../../../src/text/chat/template.js';

const listed = (range: string) =>
  new ChatTemplate(`{% for i in ${range} %}{{ i }} {% endfor %}`).render([], {});
const counted = (range: string) => new ChatTemplate(`{{ ${range} | length }}`).render([], {});

it.each([
  ['range(3)', '0 1 2 '],
  ['range(1, 3)', '1 2 '],
  ['range(5, 0, -2)', '5 3 1 '],
  ['range(0, 5, 2)', '0 2 4 '],
  ['range(3, 1)', ''],
  ['range(-1)', ''],
])('%s', (range, text) => expect(listed(range)).toBe(text));

it('has 100,000 items at most, as in the sandbox of jinja2', () => {
  expect(counted('range(100000)')).toBe('100000');
  const refused = expect.objectContaining({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('at most 100000'),
  });
  for (const range of ['range(100001)', 'range(0, 9007199254740991)', 'range(0, 1, 0)'])
    expect(() => counted(range)).toThrow(refused);
});
