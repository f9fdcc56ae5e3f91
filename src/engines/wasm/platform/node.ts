/**
 * Node, and what imitates it well enough: Deno and Bun.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { availableCores } from '../../../base/cores.js';
import { LlamaError } from '../../../base/errors.js';
import { packageFile } from '../../../base/package.js';
import { startWorker } from '../../../base/worker.js';
import type { ModuleName, Platform, Thread, ThreadEvents } from './platform.js';

/**
 * V8 11.3, which is Node 20, has relaxed SIMD only with a flag, and computes the dot product over
 * four bytes wrongly in its baseline compiler (docs/LOG.md).
 */
const IS_NODE_20 = process.versions.v8?.startsWith('11.3.') ?? false;

/**
 * The versions of V8 that are known to make 256-bit code, those of Node 24 to 26; only for x86-64,
 * and where Node is not what imitates it. 12.4, which is Node 22, has the flag, and it does
 * nothing; a version without it would print an error, so a newer one must be tried before it is
 * written here (docs/v8.md).
 */
const WIDENS = { from: 13.6, to: 14.6 };

export const node: Platform = {
  cores: availableCores,
  memoryBytes,
  addressLimit,
  collectGarbage,
  compileModule,
  allowRelaxedSimd() {
    if (IS_NODE_20) setFlagsFromString('--experimental-wasm-relaxed-simd');
  },
  isDot4Right: !IS_NODE_20,
  canWiden: canWiden(),
  optimizeAtOnce,
  startThread,
  serve(start, buffersOf) {
    const work = start(workerData);
    parentPort?.on('message', async job => {
      const answer = await work(job);
      parentPort?.postMessage(answer, buffersOf(answer));
    });
  },
};

function memoryBytes(): number {
  const limit = process.constrainedMemory(); // 0 if unknown, 2^64 − 1 if there is none
  return limit ? Math.min(limit, totalmem()) : totalmem();
}

/** What `ulimit -v` has set; only Linux tells, and only Linux holds processes to it. */
function addressLimit(): number | undefined {
  try {
    const bytes = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return bytes === undefined ? undefined : Number(bytes);
  } catch {
    return undefined;
  }
}

/**
 * V8 does not count shared memory as garbage: gigabytes of a closed model would stay until other
 * objects cause a collection, which may be never. So one is asked for, in the only way that there
 * is. Bun has another engine, and a function for it.
 */
function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(now: boolean): void } };
  if (Bun !== undefined) {
    Bun.gc(true);
    return;
  }
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  collect?.();
}

function canWiden(): boolean {
  if (process.arch !== 'x64' || 'Bun' in globalThis || 'Deno' in globalThis) return false;
  const [major, minor] = (process.versions.v8 ?? '').split('.').map(Number);
  const version = major + minor / 10;
  return minor < 10 && WIDENS.from <= version && version <= WIDENS.to;
}

/**
 * The optimizing compiler gets a function when the baseline compiler's code of it has run for 13
 * MB of instructions, some milliseconds; it compiles in the background, and looks at
 * --experimental-wasm-revectorize then. A module has the budget of the moment when it is compiled.
 * Of a single round of a loop V8 counts at most a quarter of it: this is enough for any.
 */
export const TIERING_BUDGET = { usual: 13_000_000, short: 10_000 };

async function optimizeAtOnce<T>(
  name: ModuleName,
  width: 128 | 256,
  work: (module: WebAssembly.Module) => Promise<T>,
): Promise<T> {
  const code = await readModule(name, bytes => markAs(bytes, width));
  const flags = ['wasm-sync-tier-up'];
  if (width === 256) flags.push('experimental-wasm-revectorize');
  for (const flag of flags) setFlagsFromString(`--${flag}`);
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.short}`);
  try {
    return await work(new WebAssembly.Module(code));
  } finally {
    for (const flag of flags) setFlagsFromString(`--no-${flag}`);
    setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.usual}`);
  }
}

/** V8 shares code among modules of the same bytes: a custom section makes them others. */
function markAs(bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const label = `${width}`;
  const section = [0, label.length + 1, label.length, ...Buffer.from(label)];
  return Uint8Array.from([...bytes, ...section]);
}

function compileModule(name: ModuleName): Promise<WebAssembly.Module> {
  return readModule(name, bytes => WebAssembly.compile(bytes));
}

async function readModule<T>(
  name: ModuleName,
  use: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>,
): Promise<T> {
  const file = packageFile(`dist/engines/wasm/${name}.wasm`);
  try {
    return await use(new Uint8Array(await readFile(file)));
  } catch (error) {
    throw new LlamaError(
      'BROKEN_INSTALLATION',
      `${fileURLToPath(file)} is missing or damaged; install llama-32k again, or in a clone run ` +
        'npm run setup',
      { cause: error },
    );
  }
}

function startThread<Job, Answer>(setup: unknown, events: ThreadEvents<Answer>): Thread<Job> {
  const worker = startWorker('dist/engines/wasm/workers/worker.js', setup);
  worker.unref();
  worker.on('message', answer => events.answer(answer));
  worker.on('error', error => events.end(`a worker failed: ${error.message}`));
  worker.on('exit', code => events.end(`a worker ended with exit code ${code}`));
  return {
    send(job) {
      worker.ref();
      worker.postMessage(job);
    },
    rest: () => worker.unref(),
    async stop() {
      await worker.terminate();
    },
  };
}
