/** How fast this machine reads memory: what a decode cannot be faster than, since it reads every weight once. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

const BYTES = 2 ** 30; // in all: far more than any cache
const ROUNDS = 5;
export const MOST_PAGES = 65_536;

/** 8 registers of sums, so that no addition waits for the one before. */
const REGISTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const SOURCE = `
export function sum(start: usize, bytes: usize): v128 {
  ${REGISTERS.map(name => `let ${name} = i64x2.splat(0);`).join('\n')}
  for (let p = start; p < start + bytes; p += ${16 * REGISTERS.length}) {
    ${REGISTERS.map((name, i) => `${name} = v128.xor(${name}, v128.load(p, ${16 * i}));`).join('\n')}
  }
  return ${REGISTERS.reduce((all, name) => `v128.xor(${all}, ${name})`)};
}
export function touch(start: usize, bytes: usize): void { memory.fill(start, 1, bytes); }
export function read(start: usize, bytes: usize): i64 { return i64x2.extract_lane(sum(start, bytes), 0); }`;

export interface BandwidthSetup {
  readonly module: WebAssembly.Module;
  readonly bytes: number;
}

/** Bytes per second that `threads` threads read together: the best of a few rounds. */
export async function readBandwidth(threads: number = availableParallelism()): Promise<number> {
  const module = await WebAssembly.compile(await compile(SOURCE));
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
    const seconds = (Math.max(...times.map(({ end }) => end)) - Math.min(...times.map(({ start }) => start))) / 1000;
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

async function compile(source: string): Promise<Uint8Array> {
  // By a name that TypeScript does not follow: the compiler's types declare another `console` for everybody.
  const { default: asc } = await import('assemblyscript/asc' as string);
  const { error, stderr, binary } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: 'stub',
    noAssert: true,
    enable: ['simd', 'bulk-memory', 'threads'],
    importMemory: true,
    sharedMemory: true,
    initialMemory: 1,
    maximumMemory: MOST_PAGES,
  });
  if (error) throw new Error(stderr.toString());
  return binary;
}
