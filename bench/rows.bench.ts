/**
 * `npm run bench -- rows --model M`: what a pass of a few rows costs in times of one of a single
 * row, as several users have them, or a text whose continuation is proposed. Weights are read once
 * for all of them.
 */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { quantile } from '../src/cli/measure/together.js';
import type { Llama } from '../src/model/llama.js';
import { builtLoad } from './built.js';
import { recordBench } from './results.js';

const ROWS = [1, 2, 3, 4, 5, 6, 8];
const ROUNDS = 12;
const CONTEXT = 512;

export async function rowsBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  });
  if (values.model === undefined) throw new Error('--model M: the model to measure');
  const threads = Number(values.threads);
  const { loadLlama } = await builtLoad();
  const options = { threads, cache: 'f16', context: CONTEXT, wide: 'auto' } as const;
  const { model } = await loadLlama(values.model, options);
  const times = await measure(model).finally(() => model.close());
  const single = times[0].milliseconds;
  const kernels = model.engine.name;
  console.log(`${basename(values.model)}, ${kernels}, ${threads} threads: ${single.toFixed(2)} ms`);
  for (const { rows, milliseconds } of times)
    console.log(`  ${rows} rows: ${(milliseconds / single).toFixed(2)} ×`);
  const figures = { model: basename(values.model), kernels, threads, times };
  console.log(`written: ${recordBench(`rows ${basename(values.model)}, ${threads}`, figures)}`);
}

/** The median of some rounds, in which each number of rows has its turn. */
async function measure(model: Llama) {
  const sequences = Array.from({ length: Math.max(...ROWS) }, () => model.createSequence());
  const times = new Map<number, number[]>(ROWS.map(rows => [rows, []]));
  for (let round = -2; round < ROUNDS; round++) {
    for (const rows of ROWS) {
      const start = performance.now();
      const batch = sequences
        .slice(0, rows)
        .map(sequence => ({ sequence, token: 300 + rows, position: sequence.length }));
      await model.forwardBatch(batch, { logitsFor: batch.map((_, i) => i) });
      if (round >= 0) times.get(rows)!.push(performance.now() - start);
    }
  }
  return [...times].map(([rows, all]) => ({ rows, milliseconds: quantile(all, 0.5)! }));
}
