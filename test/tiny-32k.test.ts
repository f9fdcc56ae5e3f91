/** The embedded model: its replies to held-out prompts, and its logits up to the end of 29,000 tokens, are those of transformers in float32. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complete } from '../src/generate.js';
import { type GreedyReply, readGreedyReplies, readIntegers, readTensors } from '../src/golden.js';
import { EMBEDDED_MODEL, type LoadedModel, loadModel } from '../src/load.js';
import { argmax } from '../src/sampling/sampler.js';
import type { Floats } from '../src/tensor.js';
import { largestDifference, spread } from './support/tensors.js';

const CHUNK = 512;
const MOST_NEW_TOKENS = 200;

const replies = await readGreedyReplies('tiny-32k');
const short = replies.slice(0, -1);
const long = replies.at(-1)!;
const golden = (await readTensors('tiny-32k/logits.safetensors')).get('logits')!; // [P, V]
const tokens = await readIntegers('tiny-32k/logits.safetensors', 'tokens');
const positions = await readIntegers('tiny-32k/logits.safetensors', 'positions');

let loaded: LoadedModel;
beforeAll(async () => {
  loaded = await loadModel(EMBEDDED_MODEL, { threads: 2 });
});
afterAll(() => loaded.close());

async function replyTo({ prompt, tokens }: GreedyReply, { model, tokenizer } = loaded) {
  return complete(model, tokenizer, prompt, { maxNewTokens: tokens.length });
}

describe('greedy replies', () => {
  it('there are 50 held-out prompts, of all three kinds, the last of over 29,000 tokens', () => {
    expect(replies).toHaveLength(50);
    const kinds = new Set(replies.map(({ task }) => task.replace(/^\d+ |:.*/g, '')));
    expect([...kinds].sort()).toEqual(['documents', 'instruction', 'summaries']);
    expect(new Set(replies.map(({ prompt }) => prompt)).size).toBe(50);
    expect(long.promptTokens).toBe(tokens.length);
    expect(tokens.length).toBeGreaterThan(29_000);
  });

  it.each(short)('$task: the tokens are those of transformers', async reply => {
    const { text, tokens, promptTokens } = await replyTo(reply);
    expect([text, promptTokens]).toEqual([reply.reply, reply.promptTokens]);
    expect(tokens).toEqual(reply.tokens);
  });

  it('one about 50 documents is right, and with factor 1 it is not', async () => {
    const reply = short.findLast(({ reply, wanted }) => reply === wanted)!;
    await using ignored = await loadModel(EMBEDDED_MODEL, { threads: 2, ropeFactor: 1 });
    expect((await replyTo(reply)).text).toBe(reply.wanted);
    expect((await replyTo(reply, ignored)).text).not.toBe(reply.wanted);
  }, 300_000);
});

describe('the longest prompt', () => {
  // Both add up in float32, in another order. 1e-4 is what the goldens of random models allow, and what factor 1 exceeds ten thousand times.
  it('the logits are within 1e-4 σ of those of transformers at every golden position, and the reply is the same and right', async () => {
    const { model } = loaded;
    const sequence = model.createSequence();
    const found = new Map<number, Floats>();
    for (let start = 0; start < tokens.length; start += CHUNK) {
      const rows = tokens.slice(start, start + CHUNK).map((token, i) => ({ token, position: start + i, sequence }));
      const wanted = positions.filter(position => position >= start && position < start + CHUNK);
      const { data } = await model.forward(rows, { logitsFor: wanted.map(position => position - start) }); // [W, V]
      const size = model.config.vocabSize;
      for (const [i, position] of wanted.entries()) found.set(position, data.slice(i * size, (i + 1) * size));
    }
    for (const [i, position] of positions.entries()) {
      const size = model.config.vocabSize;
      const theirs = golden.data.slice(i * size, (i + 1) * size);
      const error = largestDifference(found.get(position)!, theirs) / spread(theirs);
      expect(error, `position ${position}`).toBeLessThan(1e-4);
    }

    const reply = [argmax(found.get(tokens.length - 1)!)];
    while (!model.config.eosTokenIds.includes(reply.at(-1)!) && reply.length < MOST_NEW_TOKENS) {
      const row = { token: reply.at(-1)!, position: sequence.length, sequence };
      reply.push(argmax((await model.forward([row])).data));
    }
    sequence.dispose();
    expect(reply).toEqual(long.tokens);
    expect(long.reply).toBe(long.wanted);
  }, 600_000);
});
