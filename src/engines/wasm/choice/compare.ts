/**
 * Does a wide build compute the bits of its narrow sister, and is it faster? What V8 makes of
 * kernels at 256 bits cannot be trusted as it stands (it has compiled loads wrongly: docs/v8.md),
 * so everything is compared: every format of weights and of the cache, rows alone and together,
 * before functions are optimized and after.
 *
 * A function is optimized once in the life of a module. What is compared here is therefore what
 * runs from then on, in this thread and in others that get the module; and a function that is not
 * called here stays at 128 bits.
 */
import type { Build, CompiledKernels } from '../kernels/builds.js';
import type { KernelExports } from '../kernels/exports.js';
import type { Bank } from '../kernels/lock-step.js';
import type { CacheFormat } from '../memory/cache-formats.js';
import { allocateMemory } from '../memory/shared-memory.js';
import { platform } from '../platform/here.js';
import { MOST_ROWS, Trial } from './trial.js';

/** For each cache the rows of passes, which go on where the last one ended. */
const PASSES: Readonly<Record<CacheFormat, readonly number[]>> = {
  f32: [MOST_ROWS, 1, 2, 3, 4, 5, 8],
  // Often enough alone on the second page that a score there is the largest.
  f16: [MOST_ROWS, 1, 2, 1, 2, 1, 1, 2, 3],
  q8: [MOST_ROWS, 1, 3],
};
const CACHES = Object.keys(PASSES) as CacheFormat[];

/** Rows of the passes that are timed: a prompt, a small batch. */
const TIMED = [64, 8];
/** The best of so many turns. */
const TURNS = 6;
/** Must be faster by more than chance. */
const MARGIN = 0.95;

/** Everything that a build computes, each tensor with its bits. */
type Results = readonly Uint32Array[];

/** The wide build, if all its results are those of the narrow one; only then it may be used. */
export async function compileWide(
  wide: Build,
  narrow: Build,
): Promise<CompiledKernels | undefined> {
  const { module, isEqual } = await tryBoth(wide, narrow);
  return isEqual ? { build: wide, module } : undefined;
}

/** … and if it is faster. */
export async function compileFaster(
  wide: Build,
  narrow: Build,
): Promise<CompiledKernels | undefined> {
  const { module, banks, isEqual } = await tryBoth(wide, narrow);
  return isEqual && (await isFirstFaster(banks)) ? { build: wide, module } : undefined;
}

async function tryBoth(wide: Build, narrow: Build) {
  // The first time, functions are optimized on the way; the second time they are.
  const first = await tryBuild(wide, 256, 2);
  const second = await tryBuild(narrow, 128, 1);
  const [expected] = second.results;
  const isEqual = first.results.every(found => isSame(found, expected));
  return { module: first.module, banks: [first.bank, second.bank], isEqual };
}

function tryBuild(build: Build, width: 128 | 256, times: number) {
  const memory = allocateMemory(Math.max(...CACHES.map(cache => Trial.bytes(cache))));
  return platform.optimizeAtOnce(build, width, async module => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const bank = { memory, kernels: exports as unknown as KernelExports };
    const results: Results[] = [];
    for (let i = 0; i < times; i++) results.push(await resultsOf(bank));
    return { module, bank, results };
  });
}

/** All tensors of all passes. */
async function resultsOf(bank: Bank): Promise<Results> {
  const results: Uint32Array[] = [];
  for (const cache of CACHES) {
    const trial = new Trial(bank, cache);
    let position = 0;
    for (const rows of PASSES[cache]) {
      results.push(...(await trial.compute(position, rows)));
      position += rows;
    }
  }
  return results;
}

function isSame(results: Results, expected: Results): boolean {
  return results.every((bits, i) => bits.every((word, j) => word === expected[i][j]));
}

/** By the sum of the shortest times that each of the passes takes. */
async function isFirstFaster(banks: readonly Bank[]): Promise<boolean> {
  const trials = banks.map(bank => new Trial(bank, 'f32'));
  const shortest = banks.map(() => TIMED.map(() => Infinity));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [side, trial] of trials.entries()) {
      for (const [i, rows] of TIMED.entries()) {
        const start = performance.now();
        await trial.pass(0, rows);
        shortest[side][i] = Math.min(shortest[side][i], performance.now() - start);
      }
    }
  }
  const [first, second] = shortest.map(times => times.reduce((sum, time) => sum + time));
  return first < MARGIN * second;
}
