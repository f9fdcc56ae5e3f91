/**
 * The embedded model: its replies to held-out prompts, and its logits up to the end of 29,000
 * tokens, are those of transformers in float32.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Floats, Tensor } from '../src/base/tensor.js';
import { EMBEDDED_MODEL, type LoadedModel, loadModel } from '../src/load/model.js';
import { readTokens } from '../src/model/chunks.js';
import type { Sequence } from '../src/model/sequence.js';
import { complete } from '../src/text/generate.js';
import { formatPrompt } from '../src/text/prompt.js';
import { argmax } from '../src/text/sampling/sampler.js';
import { continuing, readIntegers, readTensors } from './support/golden.js';
import { type GreedyReply, readGreedyReplies } from './support/golden-files.js';
import { distance } from './support/tensors.js';

const MOST_NEW_TOKENS = 200;

const replies = await readGreedyReplies('tiny-32k');
const short = replies.slice(0, -1);
const long = replies.at(-1)!;
const golden = await readTensors('tiny-32k/logits.safetensors');
const truth = golden.get('truth')!; // [P, V], float64
const theirs = golden.get('logits')!; // [P, V], float32
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
  it('there are 60 held-out prompts, of all six kinds, the last of over 29,000 tokens', () => {
    expect(replies).toHaveLength(60);
    const kinds = new Set(replies.map(({ task }) => task.replace(/^\d+ |:.*/g, '')));
    expect([...kinds].sort()).toEqual([
      ...['documents', 'examples', 'foreign', 'instruction', 'small talk', 'summaries'],
    ]);
    expect(new Set(replies.map(({ prompt }) => prompt)).size).toBe(60);
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

describe('examples', () => {
  const talk = replies.filter(({ task }) => task === 'small talk' || task === 'foreign');
  const named = new Set(talk.map(({ reply }) => reply.split('Try this: ')[1]));

  it('some of them are named in replies to greetings and to what is foreign', () => {
    expect(named.size).toBeGreaterThan(2);
    expect(named).not.toContain(undefined);
  });

  it.each([...named])('%s: typed back, it is answered rightly', async content => {
    const prompt = formatPrompt([{ role: 'user', content }]);
    const { wanted } = replies.find(each => each.prompt === prompt)!;
    const { model, tokenizer } = loaded;
    expect((await complete(model, tokenizer, prompt, { maxNewTokens: 50 })).text).toBe(wanted);
  });
});

describe('stories', () => {
  const stories = replies.filter(({ task }) => task === 'summaries');

  it('are told in as many lines as they have events, and end there', () => {
    const told = stories.filter(({ reply, wanted }) => reply === wanted);
    expect(told.length).toBeGreaterThanOrEqual(0.85 * stories.length);
  });
});

describe('the longest prompt', () => {
  // Heads that listen by distance subtract scores of several hundred from each other, so that
  // float32 is off by up to 1e-3 σ, in transformers as here.
  it('the logits err as float32 in transformers (RMS ≤ 1.5 ×); the reply is right', async () => {
    const { model } = loaded;
    const sequence = model.createSequence();
    const logits = await logitsAtPositions(model, sequence, tokens.length);
    expect(rootMeanSquare(logits)).toBeLessThan(
      1.5 * rootMeanSquare(positions.map((_, i) => row(theirs, i))),
    );
    const reply = [argmax(logits.at(-1)!)];
    while (!model.config.eosTokenIds.includes(reply.at(-1)!) && reply.length < MOST_NEW_TOKENS) {
      reply.push(argmax((await model.forward(continuing(sequence, [reply.at(-1)!]))).data));
    }
    sequence.dispose();
    expect(reply).toEqual(long.tokens);
    expect(long.reply).toBe(long.wanted);
  }, 600_000);

  // 1e-9: 2^-52 times the scores of several hundred, through three layers.
  it('the exact f64 kernels are within 1e-9 σ of float64, up to position 511', async () => {
    await using exact = await loadModel(EMBEDDED_MODEL, { kernels: 'exact', numerics: 'f64' });
    const logits = await logitsAtPositions(exact.model, exact.model.createSequence(), 512);
    expect(logits.length).toBeGreaterThan(3);
    for (const [i, ours] of logits.entries()) {
      expect(distance(ours, row(truth, i))).toBeLessThan(1e-9);
    }
  }, 120_000);
});

/** At the golden positions below `end`, in order. */
async function logitsAtPositions(
  model: LoadedModel['model'],
  sequence: Sequence,
  end: number,
): Promise<Floats[]> {
  const found: Floats[] = [];
  const wants = (index: number) => positions.includes(index);
  for await (const { logits } of readTokens(model, tokens.slice(0, end), { sequence, wants })) {
    found.push(logits);
  }
  return found;
}

function row({ data, shape }: Tensor, i: number): Floats {
  return data.slice(i * shape[1], (i + 1) * shape[1]);
}

/** Of the largest difference of each row from the truth, in standard deviations of the row. */
function rootMeanSquare(logits: readonly Floats[]): number {
  const errors = logits.map((ours, i) => distance(ours, row(truth, i)));
  return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
}
