/**
 * `npm run bench -- lookup`: what lookup decoding gives tiny-32k, by kind of text: tokens a pass,
 * and the time to decode without it over the time with it, in turns, the median of several. Texts
 * drawn at a high temperature repeat nothing; there it must not cost more than a twentieth.
 */
import { readFile } from 'node:fs/promises';
import type { LoadedModel } from '../src/load/model.js';
import type { GenerateOptions } from '../src/text/options.js';
import type { GenerationResult } from '../src/text/result.js';
import type { GreedyReply } from '../test/support/golden-files.js';
import { builtLoad } from './built.js';

const REPEATS = 5;
const MOST_PROMPT_TOKENS = 4000;
const NEW_TOKENS = 200;

export async function lookupBench(): Promise<object> {
  const { EMBEDDED_MODEL, loadModel } = await builtLoad();
  const loaded = await loadModel(EMBEDDED_MODEL, { threads: 2 });
  const file = new URL('../../golden/tiny-32k/greedy.json', import.meta.url);
  const all: GreedyReply[] = JSON.parse(await readFile(file, 'utf8'));
  const replies = all.filter(({ promptTokens }) => promptTokens < MOST_PROMPT_TOKENS);
  const promptsOf = (kind: string) =>
    replies.filter(({ task }) => task.includes(kind)).map(({ prompt }) => prompt);
  const drawn = (seed: number) => ({ temperature: 1.5, seed, stopTokenIds: [] });
  const figures = {
    repeated: await compare(loaded, promptsOf('instruction: repeat'), () => ({})),
    documents: await compare(loaded, promptsOf('documents'), () => ({})),
    summaries: await compare(loaded, promptsOf('summaries'), () => ({})),
    drawn: await compare(loaded, promptsOf('instruction').slice(0, 5), drawn),
  };
  await loaded.close();
  console.table(figures);
  return figures;
}

async function compare(
  loaded: LoadedModel,
  prompts: readonly string[],
  optionsFor: (seed: number) => GenerateOptions,
) {
  const total = { tokens: 0, passes: 0 };
  const ratios: number[] = [];
  for (const [i, prompt] of prompts.entries()) {
    const options = { maxNewTokens: NEW_TOKENS, ...optionsFor(i) };
    const { tokens, lookup } = await write(loaded, prompt, options);
    if (tokens.length < 2) continue;
    total.tokens += tokens.length;
    total.passes += tokens.length - lookup.accepted;
    ratios.push(await speedUp(loaded, prompt, options));
  }
  return {
    texts: ratios.length,
    tokensPerPass: total.tokens / total.passes,
    speedUp: median(ratios),
  };
}

async function speedUp(loaded: LoadedModel, prompt: string, options: GenerateOptions) {
  const times: { readonly off: number[]; readonly on: number[] } = { off: [], on: [] };
  for (let i = 0; i < REPEATS; i++) {
    for (const state of ['off', 'on'] as const) {
      const { timings } = await write(loaded, prompt, { ...options, lookup: state === 'on' });
      times[state].push(timings.decodeSeconds);
    }
  }
  return median(times.off) / median(times.on);
}

async function write(
  { model, tokenizer }: LoadedModel,
  prompt: string,
  options: GenerateOptions,
): Promise<GenerationResult> {
  const { complete } = await import(new URL('../../dist/index.js', import.meta.url).href);
  return complete(model, tokenizer, prompt, options);
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
