/** What is made of the times at which texts had their tokens. */
import { expect, test } from 'vitest';
import { describeTogether, figuresOf, measureTogether } from '../../../src/cli/measure/together.js';
import { Llama } from '../../../src/model/llama.js';
import { loadTiny } from '../../support/tiny-model.js';

test('counts what came after all had begun; percentiles are of the time between two tokens', () => {
  const figures = figuresOf([
    [1, 2, 3, 4],
    [2, 3, 4],
  ]);
  expect(figures).toEqual({ decode_tokens_per_second: 2, p50_seconds: 1, p99_seconds: 1 });
  const slow = figuresOf([[0, ...Array.from({ length: 99 }, (_, i) => 1 + i), 110]]);
  expect([slow.p50_seconds, slow.p99_seconds]).toEqual([1, 1]);
  expect(figuresOf([[0, 1, 9]]).p99_seconds).toBe(8);
});

test('one token each has nothing between, and no speed', () => {
  const none = { decode_tokens_per_second: 0, p50_seconds: 0, p99_seconds: 0 };
  expect(figuresOf([[1], [2]])).toEqual(none);
  expect(describeTogether({ concurrency: 2, ...none })).toContain('2 at once: 0.00 tokens/s');
});

/** Keeps how many texts have rows in each pass. */
class WatchedModel extends Llama {
  readonly textsOfPasses: number[] = [];

  override forwardBatch(...[rows, options]: Parameters<Llama['forwardBatch']>) {
    this.textsOfPasses.push(new Set(rows.map(({ sequence }) => sequence)).size);
    return super.forwardBatch(rows, options);
  }
}

test('all texts are written to their end, in passes that they share', async () => {
  const { config, engine } = await loadTiny('exact');
  const model = new WatchedModel(config, engine);
  const lengths = { promptTokens: 5, newTokens: 10 };
  const { concurrency, ...figures } = await measureTogether(
    model,
    4,
    lengths,
    new AbortController().signal,
  );
  expect(concurrency).toBe(4);
  expect(figures.decode_tokens_per_second).toBeGreaterThan(0);
  // The prompts fit into one pass, and nine more tokens of each follow.
  expect(model.textsOfPasses).toEqual(Array(10).fill(4));
  await model.close();
});

test('an interrupt ends it', async () => {
  const model = await loadTiny('exact');
  const lengths = { promptTokens: 5, newTokens: 1000 };
  const measuring = measureTogether(model, 2, lengths, AbortSignal.timeout(20));
  await expect(measuring).rejects.toThrow();
  await model.close();
});
