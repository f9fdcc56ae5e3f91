/**
 * 200 conversations by SmolLM2's chat template, and by one that does what Llama 3.2's does: texts
 * against transformers', 4.57 and 5.24 alike (`reference/make_conversations.py`).
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ChatTemplate } from '../../../src/text/chat/template.js';
import { goldenConversations, type TemplateName } from './support.js';

const { cases, date, templates } = goldenConversations;
/** What a template writes in front of a reply. */
const BEGINNINGS: Readonly<Record<TemplateName, string>> = {
  smollm2: '<|im_start|>assistant\n',
  'llama-3.2': '<|start_header_id|>assistant<|end_header_id|>\n\n',
};
const SPECIAL_TOKENS = { bos_token: '<|begin_of_text|>', eos_token: '<|eot_id|>' };

beforeAll(() => {
  vi.useFakeTimers({ now: new Date(`${date} 12:00`), toFake: ['Date'] });
});
afterAll(() => {
  vi.useRealTimers();
});

describe.each(Object.keys(templates) as TemplateName[])('%s', name => {
  const template = new ChatTemplate(templates[name]);

  it('writes the 200 texts that transformers does', () => {
    expect(cases).toHaveLength(200);
    for (const { messages, [name]: text } of cases) {
      expect(template.render(messages, SPECIAL_TOKENS)).toBe(text);
      const withoutReply = text.slice(0, text.length - BEGINNINGS[name].length);
      expect(template.render(messages, SPECIAL_TOKENS, false)).toBe(withoutReply);
    }
  });
});

it('the conversations are of all kinds', () => {
  const all = cases.flatMap(({ messages }) => messages);
  const some = (holds: (text: string) => boolean) =>
    all.filter(({ content }) => holds(content)).length;
  expect(some(text => text === '')).toBeGreaterThan(50);
  expect(some(text => /<\|(im_end|eot_id)\|>/.test(text))).toBeGreaterThan(20);
  expect(some(text => /[^\p{ASCII}]/u.test(text))).toBeGreaterThan(200);
  const isSystem = ({ messages }: (typeof cases)[number]) => messages[0].role === 'system';
  expect(cases.filter(isSystem).length).toBeGreaterThan(80);
  expect(cases.filter(each => !isSystem(each)).length).toBeGreaterThan(80);
});
