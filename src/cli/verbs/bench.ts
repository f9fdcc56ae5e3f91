/** `llama-32k bench`: how fast a model runs here. */
import { check } from '../../base/errors.js';
import { integer } from '../../base/options.js';
import { loadLlama } from '../../load/model.js';
import type { LlamaConfig } from '../../model/config.js';
import { describeLimit } from '../../model/context.js';
import type { Llama } from '../../model/llama.js';
import { PAGE_POSITIONS } from '../../model/sequence.js';
import { count, flagsOf, readOwnFlags } from '../arguments/flags.js';
import { ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { describeTogether, measureTogether } from '../measure/together.js';
import { abortOnInterrupt, type Io, write, writeJson } from '../terminal/io.js';

/** Each has keys and values of its own. */
const MOST_TEXTS = 1024;

const OWN = {
  promptTokens: { range: count, default: 512, value: 'P', help: 'Tokens of prompt.' },
  newTokens: { range: count, default: 64, value: 'N', help: 'Tokens to write after it.' },
  concurrency: {
    range: integer(1, MOST_TEXTS),
    default: 1,
    value: 'N',
    help: 'Also so many texts at once: tokens of all, and the time between two of one.',
  },
};

export const benchVerb: Verb = {
  name: 'bench',
  usage: '[options]',
  summary: 'How fast a model loads, reads a prompt and writes.',
  details: [
    'The tokens are made up: what they are makes no difference to the speed. One token is ' +
      'computed before the clock starts. Let nothing else run meanwhile.',
  ],
  options: [...MODEL, ...flagsOf(OWN), ...ENGINE],
  json:
    'Print {model, kernels, prompt_tokens, new_tokens, load_seconds, prefill_tokens_per_second, ' +
    'decode_tokens_per_second, peak_rss_bytes} and, with --concurrency, together: {concurrency, ' +
    'decode_tokens_per_second, p50_seconds, p99_seconds}, the last two between tokens.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const { promptTokens, newTokens, concurrency } = readOwnFlags(options, OWN);
  const path = await modelPath(options, io);
  const signal = abortOnInterrupt(io);
  const began = performance.now();
  const positions = promptTokens + newTokens;
  const context = (config: LlamaConfig) => {
    checkRoom(positions, config);
    return concurrency * wholePages(positions);
  };
  const json = options.flag('json');
  const engine = engineOptions(options, { signal }, context);
  await withLoaded({ io, json }, loadLlama(path, engine), async ({ model }) => {
    checkRoom(positions, model.config);
    await measure(model, 1, 1, signal); // exact kernels read their weights now
    const loadSeconds = (performance.now() - began) / 1000;
    const { prefill, decode } = await measure(model, promptTokens, newTokens, signal);
    const lengths = { promptTokens, newTokens };
    const together =
      concurrency > 1 && (await measureTogether(model, concurrency, lengths, signal));
    const figures = {
      model: path,
      kernels: model.engine.name,
      prompt_tokens: promptTokens,
      new_tokens: newTokens,
      load_seconds: loadSeconds,
      prefill_tokens_per_second: promptTokens / prefill,
      decode_tokens_per_second: newTokens / decode,
      peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    };
    if (json) await writeJson(io, { ...figures, ...(together && { together }) });
    else await write(io.stdout, readable(figures) + (together ? describeTogether(together) : ''));
  });
}

/** Every text has pages of its own. */
const wholePages = (positions: number) => Math.ceil(positions / PAGE_POSITIONS) * PAGE_POSITIONS;

/** Before anything is made of so many tokens, and with the wasm kernels before loading. */
function checkRoom(positions: number, config: LlamaConfig): void {
  check(positions <= config.maxPositionEmbeddings, 'CONTEXT_OVERFLOW', () => {
    const limit = describeLimit(config);
    return `--prompt-tokens and --new-tokens are ${positions} together, and ${limit}`;
  });
}

/** Seconds for a prompt, and for the tokens after it. */
async function measure(model: Llama, promptTokens: number, newTokens: number, signal: AbortSignal) {
  const sequence = model.createSequence();
  const row = (position: number) => ({
    token: (position * 7919) % model.config.vocabSize,
    position,
    sequence,
  });
  const start = performance.now();
  await model.forward(
    Array.from({ length: promptTokens }, (_, position) => row(position)),
    { signal },
  );
  const middle = performance.now();
  for (let i = 0; i < newTokens; i++) await model.forward([row(promptTokens + i)], { signal });
  const end = performance.now();
  sequence.dispose();
  return { prefill: (middle - start) / 1000, decode: (end - middle) / 1000 };
}

function readable(figures: Record<string, string | number>): string {
  const fixed = (name: string) => Number(figures[name]).toFixed(2);
  return [
    `loaded in   ${fixed('load_seconds')} s`,
    `prefill     ${fixed('prefill_tokens_per_second')} tokens/s`,
    `decode      ${fixed('decode_tokens_per_second')} tokens/s`,
    `peak memory ${(Number(figures.peak_rss_bytes) / 2 ** 20).toFixed(0)} MiB`,
    '',
  ].join('\n');
}
