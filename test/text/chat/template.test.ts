/** Texts of templates against transformers', 4.57 and 5.24 alike: `reference/make_chat.py`. */
import { describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../../src/text/chat/template.js';
import { goldenChat, SPECIAL_TOKENS } from './support.js';

describe.each(Object.keys(goldenChat.templates))('%s', name => {
  const template = new ChatTemplate(goldenChat.templates[name]);

  it.each(
    goldenChat.cases.filter(each => each.template === name).map((each, i) => [i, each] as const),
  )(
    'writes the text that transformers does: conversation %i',
    (_, { messages, text, without_prompt, error }) => {
      if (error !== undefined) {
        expect(() => template.render(messages, SPECIAL_TOKENS)).toThrow(
          expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(error) }),
        );
        return;
      }
      expect(template.render(messages, SPECIAL_TOKENS)).toBe(text);
      expect(template.render(messages, SPECIAL_TOKENS, false)).toBe(without_prompt);
    },
  );
});
