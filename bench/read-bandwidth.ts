/**
 * How fast this machine reads memory: what a decode cannot be faster than, since it reads every
 * weight once.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { compileAssemblyScript } from './compile.js';

const BYTES = 2 ** 30; // in all: far more than any cache
const ROUNDS = 5;
export const MOST_PAGES = 65_536;

/** 8 registers of sums, so that no addition waits for the one before. */
const REGISTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const xor = (a: string, b: string) => `v128.xor(${a}, ${b})`;
const SOURCE = `
export function sum(start: usize, bytes: usize): v128 {
  ${REGISTERS.map(name => `let ${name} = i64x2.splat(0);`).join('\n')}
  for (let p = start; p < start + bytes; p += ${16 * REGISTERS.length}) {
    ${REGISTERS.map((name, i) => `${name} = ${xor(name, `v128.load(p, ${16 * i})`)};`).join('\n')}
  }
  return ${REGISTERS.reduce(xor)};
}
export function touch(start: usize, bytes: usize): void { memory.fill(start, 1, bytes); }
export function read(start: usize, bytes: usize): i64 {
  return i64x2.extract_lane(sum(start, bytes), 0);
}`;

/**
 * `touch` writes a stretch of memory, for what was never written may not be memory at all; `read`
 * reads it.
 */
export async function compileReader(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(
    await compileAssemblyScript(SOURCE, ['simd', 'bulk-memory', 'threads']),
  );
}

export interface BandwidthSetup {
  readonly module: WebAssembly.Module;
  readonly bytes: number;
}

/** Bytes per second that `threads` threads read together: the best of a few rounds. */
export async function readBandwidth(threads: number = availableParallelism()): Promise<number> {
  const module = await compileReader();
  const workerData: BandwidthSetup = { module, bytes: BYTES / threads };
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./read-bandwidth-worker.js', import.meta.url), { workerData }),
  );
  const round = () => Promise.all(workers.map(oneRound));
  await round(); // for the optimizing compiler
  let best = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const times = await round();
    const seconds =
      (Math.max(...times.map(({ end }) => end)) - Math.min(...times.map(({ start }) => start))) /
      1000;
    best = Math.max(best, BYTES / seconds);
  }
  await Promise.all(workers.map(worker => worker.terminate()));
  return best;
}

function oneRound(worker: Worker): Promise<{ readonly start: number; readonly end: number }> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage('go');
  });
}
