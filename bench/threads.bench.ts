/**
 * What many threads would do: kernels are timed in passes of one thread, the pool is simulated, and
 * its one and two threads are held against a clock.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { costsFrom, type Timed } from './pool/costs.js';
import { recordPass } from './pool/record.js';
import { type Machine, simulate } from './pool/simulate.js';
import type { Span } from './pool/trace.js';
import { loadTraced } from './pool/traced-model.js';
import { workOf } from './pool/work.js';
import { makeRandomCheckpoint } from './random-checkpoint.js';
import { readBandwidth } from './read-bandwidth.js';
import { SHAPES, type ShapeName } from './shapes.js';

const THREADS = [1, 2, 4, 8, 16, 32, 64];
const WEIGHTS = 'q8_0';
/** Rows, and how many passes. Of 12 over one row the shortest was a fifth longer than of 60. */
const PASSES = [
  [128, 12],
  [1, 60],
];
/** Microseconds. A spin is 2,000 loads, the others are typical of one socket. */
const WAITING = { handover: 0.1, spin: 12.8, wake: 50 };

export async function threadsBench(): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'llama-32k-bench-'));
  try {
    await makeRandomCheckpoint(path, SHAPES['110M']);
    for (const [rows, passes] of PASSES) {
      const one = await shortest(path, 1, rows, passes);
      const two = await shortest(path, 2, rows, passes);
      await report(rows, one.machine, [one.microseconds, two.microseconds]);
    }
  } finally {
    await rm(path, { recursive: true });
  }
}

/** Of some passes over `rows` rows, call by call, and the whole. */
async function shortest(path: string, threads: number, rows: number, count: number) {
  const options = { kernels: 'wasm', weights: WEIGHTS, threads, context: 128 } as const;
  const { model, take } = await loadTraced(path, options);
  const sequence = model.createSequence();
  const row = (_: unknown, position: number) => ({ token: position, position, sequence });
  const pass = Array.from({ length: rows }, row);
  const passes: Span[][] = [];
  for (let i = 0; i < count; i++) {
    sequence.truncate(0);
    await model.forward(pass);
    passes.push(take()[0]);
  }
  await model.close();
  const lengths = passes.map(spans => 1000 * (spans[spans.length - 1].end - spans[0].start));
  return { microseconds: Math.min(...lengths), machine: machineOf(passes, lengths) };
}

/** As one thread has seen it; memory is that of the simulated number of threads. */
function machineOf(passes: readonly Span[][], lengths: readonly number[]) {
  const best = passes[lengths.indexOf(Math.min(...lengths))];
  const calls = best.filter(({ name }) => name !== 'barrier');
  const timed = calls.map(({ name, start, end, args }): Timed => {
    return { work: workOf(name, args), time: 1000 * (end - start) };
  });
  const inKernels = timed.reduce((sum, { time }) => sum + time, 0);
  const call = Math.max(0, Math.min(...lengths) - inKernels) / calls.length;
  return { time: costsFrom(timed), call, ...WAITING };
}

async function report(
  rows: number,
  machine: Omit<Machine, 'bandwidth'>,
  measured: readonly number[],
): Promise<void> {
  const shape: ShapeName = '110M';
  console.log(`${shape} ${WEIGHTS}, ${rows} rows`);
  const bandwidth = [(await readBandwidth(1)) / 1e6, (await readBandwidth(2)) / 1e6];
  for (const threads of THREADS) {
    const steps = await recordPass({ shape: SHAPES[shape], weights: WEIGHTS, threads, rows });
    const memory = threads === 1 ? bandwidth[0] : bandwidth[1];
    const { microseconds, parts } = simulate(steps, { ...machine, bandwidth: memory });
    const clock = measured[THREADS.indexOf(threads)];
    const off = clock === undefined ? '' : `, measured ${(clock / 1000).toFixed(2)}`;
    const shares = Object.entries(parts).map(([name, x]) => `${name} ${(100 * x).toFixed(0)} %`);
    console.log(
      `${String(threads).padStart(3)} threads: ${(microseconds / 1000).toFixed(2)} ms${off}; ` +
        shares.join(', '),
    );
  }
}
