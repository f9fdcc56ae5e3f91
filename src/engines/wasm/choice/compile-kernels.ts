/**
 * Which build of the kernels is used: the fastest that computes rightly here, found by trying,
 * since nothing but a clock tells what a processor has. It takes a third of a second or so, once
 * per process.
 */
import { LlamaError } from '../../../base/errors.js';
import {
  type Build,
  type CompiledKernels,
  canRun,
  hasSimd,
  isWide,
  narrowOf,
  wideOf,
} from '../kernels/builds.js';
import { isFasterAndEqual } from '../kernels/faster.js';
import { platform } from '../platform/here.js';
import { compileFaster, compileWide } from './compare.js';

/** Whether a wide build may be used where it is faster; that takes a flag of the whole process. */
export type Wide = 'auto' | 'off';

/**
 * `build`: the one to use, if not the fastest that this engine has.
 *
 * @throws {LlamaError} UNSUPPORTED if it cannot be had
 */
export async function compileKernels(wide: Wide, build?: Build): Promise<CompiledKernels> {
  if (!hasSimd()) {
    throw new LlamaError(
      'UNSUPPORTED',
      'there is no WebAssembly SIMD here: it needs Node 20.19 or newer, and an x86 processor ' +
        'needs SSE4.1; use --kernels exact',
    );
  }
  if (build !== undefined) return compile(build);
  return wide === 'auto' ? fastest() : fastestNarrow();
}

async function compile(build: Build): Promise<CompiledKernels> {
  if (!canRun(build)) {
    throw new LlamaError(
      'UNSUPPORTED',
      `this JavaScript engine cannot run the ${build} build; use the simd build`,
    );
  }
  return isWide(build) ? compileRight(build) : load(build);
}

/** Though it was asked for, it must be right. */
async function compileRight(build: Build): Promise<CompiledKernels> {
  const narrow = narrowOf(build);
  const wide = await compileWide(build, narrow);
  if (wide !== undefined) return wide;
  throw new LlamaError(
    'UNSUPPORTED',
    `this JavaScript engine computes other bits with the ${build} build than with the ${narrow} ` +
      'build; use that one',
  );
}

const fastestNarrow = once(async () => {
  if (!canRun('relaxed')) return load('simd');
  const relaxed = await load('relaxed');
  if (!canRun('dot4')) return relaxed;
  const dot4 = await load('dot4');
  return isFasterAndEqual(dot4.module, relaxed.module) ? dot4 : relaxed;
});

const fastest = once(async () => {
  const narrow = await fastestNarrow();
  const build = wideOf(narrow.build);
  if (build === undefined || !canRun(build)) return narrow;
  const wide = await compileFaster(build, narrow.build);
  // The memories of the comparison have addresses that models will want.
  if (platform.addressLimit() !== undefined) platform.collectGarbage();
  return wide ?? narrow;
});

async function load(build: Build): Promise<CompiledKernels> {
  return { build, module: await platform.compileModule(build) };
}

/** What is found out once is true for the life of the process. */
function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find();
    return found;
  };
}
