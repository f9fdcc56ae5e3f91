/**
 * The text of a model of real language: SmolLM2-135M-Instruct's own tokenizer and chat template, as
 * its GGUF file has them, give transformers' ids, and its replies end where they should.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChatFormat } from '../src/load/chat-format.js';
import { type LoadedModel, loadModel } from '../src/load/model.js';
import { openTokenizer } from '../src/load/tokenizer.js';
import type { ChatFormat } from '../src/text/chat/format.js';
import { complete } from '../src/text/generate.js';
import type { Message } from '../src/text/prompt.js';
import type { Tokenizer } from '../src/tokenizer/tokenizer.js';
import { findSmollm2, goldenPrompts } from './support/smollm2.js';
import { goldenConversations } from './text/chat/support.js';

const path = findSmollm2('the text of a model of real language')!;
const END_OF_TURN = '<|im_end|>';

describe.skipIf(path === undefined)('SmolLM2', () => {
  let tokenizer: Tokenizer;
  let format: ChatFormat;
  beforeAll(async () => {
    tokenizer = await openTokenizer(path);
    format = await openChatFormat({ path, tokenizer });
  });

  const spells = ({ content }: Message) =>
    tokenizer.specialTokens.some(token => content.includes(token.content));
  const controlsIn = (ids: readonly number[]) => {
    const special = new Set(tokenizer.specialTokens.map(({ id }) => id));
    return ids.filter(id => special.has(id));
  };
  const digest = (ids: readonly number[]) =>
    createHash('sha256').update(ids.join()).digest('hex').slice(0, 16);

  it('20 prompts have the ids of transformers, and what it wrote has its text', () => {
    for (const { messages, prompt, tokens, text } of goldenPrompts) {
      expect(format.encode(messages)).toEqual(prompt);
      expect(tokenizer.decode(tokens, { skipSpecial: false })).toBe(text);
    }
  });

  it('200 conversations have the ids of transformers', () => {
    for (const { messages, smollm2, ids } of goldenConversations.cases) {
      expect(digest(tokenizer.encode(smollm2, { special: true }))).toBe(ids);
      if (!messages.some(spells)) expect(digest(format.encode(messages))).toBe(ids);
    }
    const spelling = goldenConversations.cases.filter(({ messages }) => messages.some(spells));
    expect(spelling.length).toBeGreaterThan(20);
    expect(spelling.length).toBeLessThan(100);
  });

  it('what a message spells like a control token is text', () => {
    for (const { messages, smollm2 } of goldenConversations.cases) {
      const ids = format.encode(messages);
      const harmless = messages.map(({ role }) => ({ role, content: 'a' }));
      expect(controlsIn(ids)).toEqual(controlsIn(format.encode(harmless)));
      expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(smollm2);
    }
  });

  it("the template's own system message is there where a conversation has none", () => {
    const begin = (messages: readonly Message[]) =>
      tokenizer.decode(format.encode(messages), { skipSpecial: false });
    const hi: Message = { role: 'user', content: 'Hi' };
    expect(begin([hi])).toMatch(/^<\|im_start\|>system\nYou are a helpful AI assistant named/);
    expect(begin([{ role: 'system', content: 'Be brief.' }, hi])).toMatch(
      /^<\|im_start\|>system\nBe brief\.<\|im_end\|>\n<\|im_start\|>user\nHi/,
    );
  });
});

describe.skipIf(path === undefined)('a reply of SmolLM2', () => {
  let loaded: LoadedModel;
  let format: ChatFormat;
  beforeAll(async () => {
    loaded = await loadModel(path, { weights: 'f32', threads: 2, context: 1024 });
    format = await openChatFormat(loaded);
  });
  afterAll(() => loaded.close());

  const replyTo = (messages: readonly Message[]) => {
    const { model, tokenizer } = loaded;
    const options = { ...format.ends(model.config), temperature: 0, maxNewTokens: 64 };
    return complete(model, tokenizer, format.encode(messages), options);
  };
  const ending = goldenPrompts
    .filter(({ text }) => text.includes(END_OF_TURN))
    .filter(({ prompt, margins }) => prompt.length < 100 && Math.min(...margins) > 2e-4);

  it("is the README's, through its whole conversation", async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const turns = /```\n> ([^`]*)```/.exec(readme)![1].split('\n> ');
    const messages: Message[] = [];
    for (const [question, ...answer] of turns.map(turn => turn.trim().split('\n'))) {
      messages.push({ role: 'user', content: question });
      const { text } = await replyTo(messages);
      expect(text).toBe(answer.join(' '));
      messages.push({ role: 'assistant', content: text });
    }
    expect(messages).toHaveLength(6);
  });

  it('of those that transformers ends within 64 tokens there are some', () => {
    expect(ending.length).toBeGreaterThan(5);
  });

  it.each(ending.map(each => [goldenPrompts.indexOf(each), each] as const))(
    'to prompt %i is what transformers writes up to <|im_end|>, and ends there',
    async (_, { messages, tokens, text }) => {
      const reply = await replyTo(messages);
      const end = loaded.tokenizer.idOf(END_OF_TURN)!;
      expect(reply.tokens).toEqual(tokens.slice(0, tokens.indexOf(end) + 1));
      expect([reply.text, reply.finishReason]).toEqual([
        text.slice(0, text.indexOf(END_OF_TURN)),
        'eos',
      ]);
    },
  );
});
