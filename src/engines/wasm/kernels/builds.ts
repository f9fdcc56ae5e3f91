/**
 * The compiled kernels: which of the three builds runs here. All give the same bits.
 *
 * `relaxed` needs relaxed SIMD. Node 20 has that behind a flag, which may be set while the process
 * runs; the instruction that `relaxed` uses is right there in both compilers, that of `dot4` is not
 * (docs/LOG.md).
 */
import { LlamaError } from '../../../base/errors.js';
import { platform } from '../platform/here.js';
import type { ModuleName } from '../platform/platform.js';
import { isFasterAndEqual } from './faster.js';

export type Build = ModuleName;

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
  return { build, module: await platform.compileModule(build) };
}

/**
 * Whether this engine has the instructions of `build`, and computes them rightly. On Node 20 it
 * switches relaxed SIMD on.
 */
export function canRun(build: Build): boolean {
  if (build === 'simd') return true;
  if (!WebAssembly.validate(RELAXED_PROBE)) platform.allowRelaxedSimd();
  return WebAssembly.validate(RELAXED_PROBE) && (build !== 'dot4' || platform.isDot4Right);
}

let fastestHere: Promise<CompiledKernels> | undefined;

function fastest(): Promise<CompiledKernels> {
  fastestHere ??= chooseFastest();
  return fastestHere;
}

async function chooseFastest(): Promise<CompiledKernels> {
  if (!canRun('relaxed')) return { build: 'simd', module: await platform.compileModule('simd') };
  const relaxed = await platform.compileModule('relaxed');
  if (canRun('dot4')) {
    const dot4 = await platform.compileModule('dot4');
    if (isFasterAndEqual(dot4, relaxed)) return { build: 'dot4', module: dot4 };
  }
  return { build: 'relaxed', module: relaxed };
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], byte => Number.parseInt(byte, 16));
}
