/**
 * The WASM engine at 110M: loading, and tokens per second in every format of weights, beside the
 * read bandwidth that bounds decoding.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { builtLoad } from './built.js';
import { type GgmlType, ggmlBytes } from './ggml-types.js';
import { medians } from './measure.js';
import { makeRandomCheckpoint } from './random-checkpoint.js';
import { readBandwidth } from './read-bandwidth.js';
import { matrixParameters, SHAPES, type ShapeName } from './shapes.js';

const PROMPT_TOKENS = 512;
const DECODE_TOKENS = 32;
/** From the smallest to the largest: the peak of memory so far is then that of the format. */
const FORMATS = ['q4_0', 'q8_0', 'bf16', 'f16', 'f32'] as const;

export async function engineBench(shapeName: ShapeName = '110M') {
  const threads = availableParallelism();
  console.log(`${shapeName}, ${threads} threads`);
  const path = await mkdtemp(join(tmpdir(), 'llama-32k-bench-'));
  const figures: Record<string, Awaited<ReturnType<typeof measure>>> = {};
  try {
    await makeRandomCheckpoint(path, SHAPES[shapeName]);
    for (const weights of FORMATS) {
      figures[weights] = await measure(path, shapeName, weights, threads);
    }
  } finally {
    await rm(path, { recursive: true });
  }
  const bandwidth = (await readBandwidth(threads)) / 1e9; // last: it takes a gigabyte itself
  console.log(`memory is read at ${bandwidth.toFixed(1)} GB/s`);
  return { shape: shapeName, threads, bandwidth, weights: figures };
}

async function measure(path: string, shapeName: ShapeName, weights: GgmlType, threads: number) {
  const { loadLlama } = await builtLoad();
  const started = performance.now();
  const context = PROMPT_TOKENS + DECODE_TOKENS;
  const options = { kernels: 'wasm', weights, threads, context, wide: 'auto' } as const;
  const { model } = await loadLlama(path, options);
  const loading = performance.now() - started;
  const sequence = model.createSequence();
  const row = (i: number) => ({ token: (i * 37) % model.config.vocabSize, position: i, sequence });
  const prompt = Array.from({ length: PROMPT_TOKENS }, (_, i) => row(i));

  const bench = new Bench({ time: 0, iterations: 3, warmupTime: 0, warmupIterations: 1 });
  bench.add('prefill', async () => {
    sequence.truncate(0);
    await model.forward(prompt);
  });
  bench.add('decode', async () => {
    sequence.truncate(PROMPT_TOKENS);
    for (let i = 0; i < DECODE_TOKENS; i++) await model.forward([row(PROMPT_TOKENS + i)]);
  });
  const [prefill, decode] = [...(await medians(bench)).values()];
  await model.close();

  const prefillPerSecond = (PROMPT_TOKENS * 1000) / prefill;
  const decodePerSecond = (DECODE_TOKENS * 1000) / decode;
  const weightBytes = ggmlBytes(weights, matrixParameters(SHAPES[shapeName]));
  console.log(
    [
      weights.padEnd(4),
      `loaded in ${(loading / 1000).toFixed(2)} s`,
      `prefill ${prefillPerSecond.toFixed(0).padStart(5)} tokens/s`,
      `decode ${decodePerSecond.toFixed(1).padStart(6)} tokens/s (weights at ` +
        `${((decodePerSecond * weightBytes) / 1e9).toFixed(1)} GB/s)`,
      `peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
    ].join(', '),
  );
  return { prefill: prefillPerSecond, decode: decodePerSecond, seconds: loading / 1000 };
}
