/**
 * What a token costs at its position, in a long prompt and after it. Every position attends to all
 * before it, so both must grow along a line.
 *
 * Takes long; Ctrl-C ends it with what was measured so far.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { CacheFormat } from '../src/engines/wasm/memory/cache-formats.js';
import type { Llama } from '../src/model/llama.js';
import { builtLoad } from './built.js';
import { GGML_TYPES, type GgmlType } from './ggml-types.js';
import { fitLine, type Line, type Point } from './line.js';
import { svgOf } from './plot.js';
import { makeRandomCheckpoint } from './random-checkpoint.js';
import { SHAPES, type ShapeName } from './shapes.js';

const RESULTS = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const DECODES = 5;

/** Milliseconds per token (y) at positions (x). */
interface Costs {
  readonly prefill: Point[];
  readonly decode: Point[];
}

export async function positionsBench(args: string[]): Promise<void> {
  const { shape, weights, cache, tokens, chunk, threads, models } = readOptions(args);
  const path = join(models, `${shape}-f16`);
  await makeRandomCheckpoint(path, SHAPES[shape]);
  const { loadLlama } = await builtLoad();
  const { model } = await loadLlama(path, {
    weights,
    cache,
    threads,
    context: tokens,
    wide: 'auto',
  });
  const about = {
    node: process.version,
    processor: `${cpus().length} × ${cpus()[0].model}`,
    threads,
    shape,
    kernels: model.engine.name,
    chunk,
  };
  console.log(
    `${shape} ${model.engine.name}, ${threads} threads, prefill in chunks of ${chunk}, decode: ` +
      `median of ${DECODES}`,
  );

  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  const costs: Costs = { prefill: [], decode: [] };
  try {
    await measure(model, tokens, chunk, costs, interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.log('interrupted');
  } finally {
    process.off('SIGINT', interrupt);
    await model.close();
  }
  if (costs.decode.length < 3) {
    console.log('fewer than three chunks were measured: too few for a line');
    return;
  }
  await report(about, costs);
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      shape: { type: 'string', default: '1.1B' },
      weights: { type: 'string', default: 'q8_0' },
      cache: { type: 'string', default: 'f16' },
      tokens: { type: 'string', default: '32768' },
      chunk: { type: 'string', default: '512' },
      threads: { type: 'string', default: String(availableParallelism()) },
      /** Where models are kept, those of `bench/peers` too. */
      models: { type: 'string', default: join(tmpdir(), 'llama-32k-peers') },
    },
  });
  const { shape, weights, cache, models } = values;
  const [tokens, chunk, threads] = [values.tokens, values.chunk, values.threads].map(Number);
  if (!(shape in SHAPES && weights in GGML_TYPES)) {
    throw new Error(
      `shapes: ${Object.keys(SHAPES).join(', ')}; weights: ${Object.keys(GGML_TYPES).join(', ')}`,
    );
  }
  return {
    shape: shape as ShapeName,
    weights: weights as GgmlType,
    cache: cache as CacheFormat,
    tokens,
    chunk,
    threads,
    models,
  };
}

/** Fills `costs`, whatever becomes of the rest. */
async function measure(
  model: Llama,
  tokens: number,
  chunk: number,
  costs: Costs,
  signal: AbortSignal,
): Promise<void> {
  const sequence = model.createSequence();
  const row = (position: number) => ({ token: 260 + ((position * 37) % 240), position, sequence });
  const prefill = async (start: number, end: number) => {
    const rows = Array.from({ length: end - start }, (_, i) => row(start + i));
    return timed(() => model.forward(rows, { logitsFor: [], signal }));
  };
  /** The last position again: what the cache holds stays the same. */
  const decode = async (position: number) => {
    const times: number[] = [];
    for (let i = 0; i <= DECODES; i++) {
      sequence.truncate(position);
      times.push(await timed(() => model.forward([row(position)], { signal })));
    }
    return times.slice(1).sort((a, b) => a - b)[Math.floor(DECODES / 2)];
  };

  await prefill(0, Math.min(chunk, tokens)); // for the compilers
  sequence.truncate(0);
  for (let start = 0; start < tokens; start += chunk) {
    const end = Math.min(start + chunk, tokens);
    const prefillTime = (await prefill(start, end)) / (end - start);
    const decodeTime = await decode(end - 1);
    costs.prefill.push({ x: (start + end) / 2, y: prefillTime });
    costs.decode.push({ x: end - 1, y: decodeTime });
    console.log(
      `${String(end).padStart(6)} of ${tokens} positions: prefill ${prefillTime.toFixed(2)}, ` +
        `decode ${decodeTime.toFixed(2)} ms per ` +
        `token${end < tokens ? secondsLeft(costs, end, tokens, chunk) : ''}`,
    );
  }
}

/** If costs go on along the lines so far. */
function secondsLeft({ prefill, decode }: Costs, from: number, to: number, chunk: number): string {
  if (decode.length < 2) return '';
  const middle = (from + to) / 2;
  const at = ({ start, slope }: Line) => start + slope * middle;
  const left =
    (to - from) * at(fitLine(prefill)) +
    Math.ceil((to - from) / chunk) * (DECODES + 1) * at(fitLine(decode));
  return `, about ${Math.ceil(left / 1000)} s left`;
}

async function report(
  about: Record<string, string | number>,
  { prefill, decode }: Costs,
): Promise<void> {
  const { shape, kernels, chunk, threads } = about;
  const lines = { prefill: fitLine(prefill), decode: fitLine(decode) };
  const legends = { prefill: inWords(lines.prefill), decode: inWords(lines.decode) };
  for (const [name, words] of Object.entries(legends)) console.log(`${name}: ${words}`);

  const svg = svgOf({
    title: `What a token costs at its position: ${shape}, ${kernels}`,
    caption: [
      `${about.processor}, ${threads} threads, Node ${about.node}; random weights.`,
      `Prefill: mean over each chunk of ${chunk} tokens. Decode: median of ${DECODES} tokens at ` +
        'the end of each chunk.',
    ],
    xLabel: 'position',
    yLabel: 'milliseconds per token',
    xStep: 2 ** Math.round(Math.log2(decode[decode.length - 1].x / 8)),
    series: [
      {
        name: 'prefill',
        colour: '#1f5fa8',
        points: prefill,
        line: lines.prefill,
        legend: legends.prefill,
      },
      {
        name: 'decode',
        colour: '#c4541a',
        points: decode,
        line: lines.decode,
        legend: legends.decode,
      },
    ],
  });
  await mkdir(RESULTS, { recursive: true });
  const file = join(RESULTS, `positions-${shape}-${kernels}`);
  await writeFile(`${file}.svg`, svg);
  await writeFile(
    `${file}.json`,
    `${JSON.stringify({ ...about, lines, prefill, decode }, null, 2)}\n`,
  );
  console.log(`written: ${file}.svg and .json`);
}

function inWords({ start, slope, explained, worst }: Line): string {
  return (
    `${start.toFixed(2)} ms + ${(slope * 1000).toFixed(2)} ms for each 1,000 positions, R² = ` +
    `${explained.toFixed(4)}, never more than ${(worst * 100).toFixed(0)} % off`
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
