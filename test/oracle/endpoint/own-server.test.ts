/** Our own server, behind a port. */
import { afterAll, describe, expect, it } from 'vitest';
import { askEndpoint } from '../../../src/oracle/endpoint/ask.js';
import { tokenNames } from '../../../src/oracle/endpoint/token-names.js';
import { listen } from '../../../src/server/index.js';
import { tokenText } from '../../../src/server/texts/tokens.js';
import { logprobsOf } from '../../../src/text/sampling/logprobs.js';
import { loaded, serverWith } from '../../server/support.js';
import { allLogits } from '../../support/golden.js';
import { refusal } from './fake-server.js';

const KEY = 'sk-very-secret';
const { model, tokenizer } = loaded;
const server = serverWith({ apiKey: [KEY] });
const { url, closeAtOnce } = await listen(server.fetch, { port: 0 });
afterAll(async () => {
  await server.close();
  closeAtOnce();
  await loaded.close();
});

const TEXT = 'Mira went to the lantern, and on.';
const TOKENS = tokenizer.encode(TEXT, { bos: true });
const names = tokenNames(tokenizer);
const tokenOf = (piece: string) => names.tokenOf(piece, true);
const OPTIONS = { apiKey: KEY, ...names };

describe('our own server', () => {
  it('tells, for every place, what its engine computes, to the bit', async () => {
    const { engine, scores } = await askEndpoint(url, TOKENS, OPTIONS);
    expect(engine).toBe(`llama-32k 0 at ${url}`);
    expect(scores.map(({ position }) => position)).toEqual([...TOKENS.keys()]);
    const logits = await allLogits(model, TOKENS);
    const { vocabSize } = model.config;
    for (const { position, logprobs } of scores) {
      const row = logits.subarray(position * vocabSize, (position + 1) * vocabSize);
      const next = TOKENS[position + 1] ?? 0;
      const { logprob, topLogprobs } = logprobsOf(row, next, 20);
      const expected = topLogprobs.filter(
        ({ token }) => tokenOf(tokenText(tokenizer, token)) === token,
      );
      expect(expected.length).toBeGreaterThan(15);
      for (const top of expected) expect(logprobs.get(top.token)).toBe(top.logprob);
      if (position + 1 < TOKENS.length) expect(logprobs.get(next)).toBe(logprob);
    }
  });

  it('names every token so that it is found again, unless another reads alike', () => {
    const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
    const texts = ids.map(id => tokenText(tokenizer, id));
    const isOnly = (text: string) => texts.indexOf(text) === texts.lastIndexOf(text);
    expect(texts.map(tokenOf)).toEqual(ids.map(id => (isOnly(texts[id]) ? id : undefined)));
    expect(ids.filter(id => isOnly(texts[id])).length).toBeGreaterThan(2000);
    expect(tokenOf('bytes:\\xC3')).toBe(tokenizer.idOf('<0xC3>'));
    for (const none of ['no such token', '']) expect(tokenOf(none)).toBeUndefined();
  });

  it('takes a text for its tokens, if it is read as they are', () => {
    const { textOf } = names;
    expect(textOf(TOKENS)).toBe(TEXT);
    for (const otherwise of [TOKENS.slice(1), [...TOKENS, 1], [1, 1, ...TOKENS.slice(1)]])
      expect(textOf(otherwise)).toBeUndefined();
  });

  it.each([
    [undefined, 'it wants an apiKey'],
    ['sk-another', 'it does not accept this apiKey'],
  ])('with the key %s says that of it', async (apiKey, words) => {
    const asking = askEndpoint(url, TOKENS, { ...OPTIONS, apiKey });
    await expect(asking).rejects.toMatchObject(refusal('UNAUTHORIZED', 'HTTP 401', words));
    await expect(asking).rejects.toMatchObject({ option: 'apiKey' });
  });
});
