/**
 * The builds of the kernels, and which of them can run here. All give the same bits.
 *
 * `relaxed` needs relaxed SIMD. Node 20 has that behind a flag, which may be set while the process
 * runs; the instruction that `relaxed` uses is right there in both compilers, that of `dot4` is not
 * (docs/LOG.md). The wide ones are shaped for 256 bits, and need an engine that makes such code.
 */
import { platform } from '../platform/here.js';
import type { ModuleName } from '../platform/platform.js';

export type Build = ModuleName;

export const BUILDS = [
  'simd',
  'relaxed',
  'dot4',
  'relaxed-wide',
  'dot4-wide',
] as const satisfies Build[];

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

/** Whether products of bytes are summed by fours; else by pairs, or as int16. */
export function isDot4(build: Build): boolean {
  return build.startsWith('dot4');
}

/** Whether the kernels are shaped for 256 bits. */
export function isWide(build: Build): boolean {
  return build.endsWith('-wide');
}

/** The wide build of the same instructions, if there is one. */
export function wideOf(build: Build): Build | undefined {
  return BUILDS.find(other => other === `${build}-wide`);
}

/** The build of the same instructions that is not wide. */
export function narrowOf(build: Build): Build {
  return build.replace('-wide', '') as Build;
}

/** Whether there is any build that runs here. */
export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD_PROBE);
}

/**
 * Whether this engine has the instructions of `build`, and computes them rightly. On Node 20 it
 * switches relaxed SIMD on.
 */
export function canRun(build: Build): boolean {
  if (build === 'simd') return true;
  if (!WebAssembly.validate(RELAXED_PROBE)) platform.allowRelaxedSimd();
  return (
    WebAssembly.validate(RELAXED_PROBE) &&
    (platform.isDot4Right || !isDot4(build)) &&
    (platform.canWiden || !isWide(build))
  );
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], byte => Number.parseInt(byte, 16));
}
