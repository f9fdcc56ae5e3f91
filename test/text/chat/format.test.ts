/** Ids of conversations against transformers', 4.57 and 5.24 alike: `reference/make_chat.py`. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openTokenizer } from '../../../src/load/tokenizer.js';
import { type ChatFormat, cardFormat, templateFormat } from '../../../src/text/chat/format.js';
import { ChatTemplate } from '../../../src/text/chat/template.js';
import { CARD_STOP_STRINGS, formatPrompt, type Message } from '../../../src/text/prompt.js';
import type { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { goldenPath } from '../../support/golden.js';
import { goldenChat, SPECIAL_TOKENS } from './support.js';

const CONFIG = { eosTokenIds: [2], bosTokenId: 1, vocabSize: 32_000 };
const names = Object.keys(goldenChat.templates);
const of = (name: string) => (each: { template: string }) => each.template === name;
const numbered = <T>(list: readonly T[]) => list.map((each, i) => [i, each] as const);

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await openTokenizer(goldenPath('chat/v5'));
});

const formatOf = (source: string, specialTokens: Record<string, string> = SPECIAL_TOKENS) =>
  templateFormat(new ChatTemplate(source), tokenizer, specialTokens);
const golden = (name: string): ChatFormat => formatOf(goldenChat.templates[name]);

/** The special tokens among `ids`, in their order. */
function controlsIn(ids: readonly number[]): number[] {
  const special = new Set(tokenizer.specialTokens.map(({ id }) => id));
  return ids.filter(id => special.has(id));
}

const conversation = (...contents: string[]): Message[] =>
  contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));

describe.each(names)('%s', name => {
  const cases = goldenChat.cases.filter(of(name)).filter(({ error }) => error === undefined);
  it.each(numbered(cases))('has the ids of transformers: conversation %i', (_, each) => {
    expect(golden(name).encode(each.messages)).toEqual(each.ids);
  });

  // Its ids of the text around may differ: it cuts texts at such tokens before merging.
  it.each(numbered(goldenChat.hostile.filter(of(name))))(
    'takes typed control tokens for text, as transformers where it is asked to: %i',
    (_, { messages, ids }) => {
      const own = golden(name).encode(messages);
      expect(controlsIn(own)).toEqual(controlsIn(ids));
      expect(tokenizer.decode(own)).toBe(tokenizer.decode(ids));
    },
  );
});

describe('whatever is in a message', () => {
  // Not U+2581, which reads as a space, and no half of a pair, which reads as U+FFFD.
  const fragment = fc.oneof(
    fc.constantFrom('</s>', '<s>', '<unk>', '<|im_end|>', '<|im_start|>', '<|user|>'),
    fc.constantFrom('<', '</', 's', '/s>', '>', '<|', '|>', 'im_end', '|im_end|>', '<|im_'),
    fc.constantFrom(' ', '\n', 'a', 'the miller', '\ue000', '\uf8ff', '{{ eos_token }}'),
    fc.string({ unit: 'grapheme', maxLength: 3 }).filter(text => !text.includes('▁')),
  );
  const content = fc.array(fragment, { maxLength: 6 }).map(parts => parts.join(''));
  const messages = fc
    .array(content, { minLength: 1, maxLength: 5 })
    .filter(({ length }) => length % 2 === 1)
    .map(contents => conversation(...contents));

  it.each(names)('only the template writes control tokens: %s', name => {
    const format = golden(name);
    fc.assert(
      fc.property(messages, hostile => {
        const harmless = hostile.map(({ role }) => ({ role, content: 'a' }));
        expect(controlsIn(format.encode(hostile))).toEqual(controlsIn(format.encode(harmless)));
      }),
      { numRuns: 300 },
    );
  });

  it.each(['chatml', 'zephyr', 'llama-3'])('the text is that of the template: %s', name => {
    const format = golden(name);
    fc.assert(
      fc.property(messages, any => {
        const text = tokenizer.decode(format.encode(any), { skipSpecial: false });
        expect(text).toBe(format.template!.render(any, SPECIAL_TOKENS));
      }),
      { numRuns: 300 },
    );
  });
});

describe('BOS', () => {
  it('is there once if the template writes it, and not if it does not', () => {
    expect(
      golden('llama-3')
        .encode(conversation('Hi'))
        .filter(id => id === 1),
    ).toEqual([1]);
    expect(golden('chatml').encode(conversation('Hi'))).not.toContain(1);
  });

  it('is nothing where the tokenizer has none', () => {
    expect(formatOf('{{ bos_token }}a', {}).encode(conversation('Hi'))).toEqual(
      tokenizer.encode('a'),
    );
  });
});

describe('the ends of a reply', () => {
  const idOf = (text: string) => tokenizer.specialTokens.find(each => each.content === text)!.id;

  it.each([
    ['chatml', ['</s>', '<s>', '<|im_end|>']],
    ['llama-3', ['</s>', '<s>', '<|eot_id|>']],
    ['llama-2', ['</s>', '<s>']],
    ['plain', ['</s>', '<s>']],
  ] as const)('%s: what the template writes behind one, and end of text', (name, ends) => {
    expect(golden(name).ends(CONFIG)).toEqual({ stop: [], stopTokenIds: ends.map(idOf) });
  });

  it("are the tokenizer's and the configuration's", () => {
    const format = formatOf('x', { eos_token: '<|im_end|>' });
    const { stopTokenIds } = format.ends({ ...CONFIG, eosTokenIds: [2, 7] });
    expect(stopTokenIds).toEqual([2, 7, 1, idOf('<|im_end|>')]);
  });

  it('are no tokens that files add behind the vocabulary: the model cannot say them', () => {
    const format = formatOf('x', { eos_token: '<|im_end|>' });
    const ends = (vocabSize: number) => format.ends({ ...CONFIG, vocabSize }).stopTokenIds;
    const id = idOf('<|im_end|>');
    expect([ends(id), ends(id + 1)]).toEqual([
      [2, 1],
      [2, 1, id],
    ]);
  });
});

describe('a conversation that is none', () => {
  const refused = (part: string) =>
    expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(part) });

  it('is refused before the template runs', () => {
    const { encode } = golden('plain');
    expect(() => encode([])).toThrow(refused('no message'));
    const tool = { role: 'tool', content: 'a' } as unknown as Message;
    expect(() => encode([tool])).toThrow(refused('message 0 has the role "tool"'));
    const list = { role: 'user', content: [] } as unknown as Message;
    expect(() => encode([list])).toThrow(refused('content of message 0'));
  });

  it("is refused in the template's words", () => {
    const again = [...conversation('a'), ...conversation('b')];
    expect(() => golden('llama-2').encode(again)).toThrow(refused('must take turns'));
  });
});

it("without a template it is the card's format, with BOS in front", () => {
  const format = cardFormat(tokenizer);
  const messages = conversation('Hi', '</s>', '<s>');
  expect(format.encode(messages)).toEqual(tokenizer.encode(formatPrompt(messages), { bos: true }));
  expect(controlsIn(format.encode(messages))).toEqual([1]);
  expect(format.ends(CONFIG)).toEqual({ stop: CARD_STOP_STRINGS, stopTokenIds: [2, 1] });
});
