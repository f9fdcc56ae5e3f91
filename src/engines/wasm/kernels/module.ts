/**
 * The compiled kernels: which of the three builds runs here. All give the same bits.
 *
 * `relaxed` needs relaxed SIMD. Node 20 has that behind a flag, which may be set while the process
 * runs; the instruction that `relaxed` uses is right there in both compilers, that of `dot4` is not
 * (docs/LOG.md).
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { LlamaError } from '../../../base/errors.js';
import { artifact } from '../artifact.js';
import { isFasterAndEqual } from './faster.js';

export type Build = 'simd' | 'relaxed' | 'dot4';

/**
 * V8 11.3 has relaxed SIMD only with a flag, and computes the dot product over four bytes wrongly
 * in its baseline compiler.
 */
const IS_NODE_20 = process.versions.v8?.startsWith('11.3.');

// (module (func (result v128) i32.const 0 i8x16.splat))
const SIMD_PROBE = bytes('0061736d010000000105016000017b030201000a080106004100fd0f0b');
// (module (func (result v128) i32.const 0 i8x16.splat i32.const 0 i8x16.splat
// i16x8.relaxed_dot_i8x16_i7x16_s))
const RELAXED_PROBE = bytes(
  '0061736d010000000105016000017b030201000a0f010d004100fd0f4100fd0ffd92020b',
);

export interface CompiledKernels {
  readonly build: Build;
  readonly module: WebAssembly.Module;
}

/**
 * `build`: the one to use, if not the fastest that this engine has. Throws UNSUPPORTED if it cannot
 * be had.
 */
export async function compileKernels(build?: Build): Promise<CompiledKernels> {
  if (!WebAssembly.validate(SIMD_PROBE)) {
    throw new LlamaError(
      'UNSUPPORTED',
      'there is no WebAssembly SIMD here: it needs Node 20.19 or newer, and an x86 processor ' +
        'needs SSE4.1; use --kernels exact',
    );
  }
  if (build === undefined) return fastest();
  if (!canRun(build)) {
    throw new LlamaError(
      'UNSUPPORTED',
      `this JavaScript engine cannot run the ${build} build; use the simd build`,
    );
  }
  return { build, module: await compile(build) };
}

/**
 * Whether this engine has the instructions of `build`, and computes them rightly. On Node 20 it
 * switches relaxed SIMD on.
 */
export function canRun(build: Build): boolean {
  if (build === 'simd') return true;
  if (IS_NODE_20 && !WebAssembly.validate(RELAXED_PROBE))
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(RELAXED_PROBE) && !(build === 'dot4' && IS_NODE_20);
}

let fastestHere: Promise<CompiledKernels> | undefined;

function fastest(): Promise<CompiledKernels> {
  fastestHere ??= chooseFastest();
  return fastestHere;
}

async function chooseFastest(): Promise<CompiledKernels> {
  if (!canRun('relaxed')) return { build: 'simd', module: await compile('simd') };
  const relaxed = await compile('relaxed');
  if (canRun('dot4')) {
    const dot4 = await compile('dot4');
    if (isFasterAndEqual(dot4, relaxed)) return { build: 'dot4', module: dot4 };
  }
  return { build: 'relaxed', module: relaxed };
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

async function compile(build: Build): Promise<WebAssembly.Module> {
  const file = artifact(`${build}.wasm`);
  try {
    return await WebAssembly.compile(await readFile(file));
  } catch (error) {
    throw new LlamaError(
      'BROKEN_INSTALLATION',
      `${fileURLToPath(file)} is missing or damaged; install llama-32k again, or in a clone run ` +
        'npm run setup',
      { cause: error },
    );
  }
}
