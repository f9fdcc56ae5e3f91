/**
 * The exact kernels: tokens per second on golden/gqa (0.64 million parameters), in every
 * arithmetic.
 */
import { Bench } from 'tinybench';
import { loadModel } from '../src/load/model.js';
import type { NumericsName } from '../src/ops/rounding.js';
import { medians } from './measure.js';

const PROMPT_TOKENS = 64;

export async function exactBench(): Promise<void> {
  for (const numerics of ['f64', 'f32', 'bf16', 'f16'] as const) await measure(numerics);
}

async function measure(numerics: NumericsName): Promise<void> {
  await using loaded = await loadModel('golden/gqa', { kernels: 'exact', numerics });
  const { model } = loaded;
  const sequence = model.createSequence();
  const row = (i: number) => ({ token: (i * 37) % model.config.vocabSize, position: i, sequence });
  const prompt = Array.from({ length: PROMPT_TOKENS }, (_, i) => row(i));

  const bench = new Bench({ time: 2000 });
  bench.add('prefill', async () => {
    sequence.truncate(0);
    await model.forward(prompt);
  });
  bench.add('decode', async () => {
    sequence.truncate(PROMPT_TOKENS - 1);
    await model.forward([row(PROMPT_TOKENS - 1)]);
  });
  const [prefill, decode] = [...(await medians(bench)).values()];
  const perSecond = (tokens: number, ms: number) => ((tokens * 1000) / ms).toFixed(0).padStart(5);
  console.log(
    `${numerics.padEnd(4)} prefill ${perSecond(PROMPT_TOKENS, prefill)} tokens/s, decode ` +
      `${perSecond(1, decode)} tokens/s`,
  );
}
