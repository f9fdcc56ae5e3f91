/**
 * The compiled kernels: which of the two builds runs here. Both give the same bits.
 *
 * The relaxed build runs where the engine has relaxed SIMD by itself (Node ≥ 22). Node 20 has it behind a flag, but its baseline compiler computes the
 * relaxed dot product wrongly: results change when the optimizing compiler takes over (docs/LOG.md). It must never be switched on there.
 */
import { readFile } from 'node:fs/promises';
import { LlamaError } from '../../errors.js';
import { artifact } from './artifact.js';

export type Build = 'simd' | 'relaxed';

// (module (func (result v128) i32.const 0 i8x16.splat))
const SIMD_PROBE = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  8,
  1,
  6,
  0,
  65,
  0,
  253,
  15,
  11,
);

export interface CompiledKernels {
  readonly build: Build;
  readonly module: WebAssembly.Module;
}

/** `build`: the one to use, if not the best that this engine has. Throws UNSUPPORTED if it cannot be had. */
export async function compileKernels(build?: Build): Promise<CompiledKernels> {
  if (!WebAssembly.validate(SIMD_PROBE)) {
    throw new LlamaError(
      'UNSUPPORTED',
      'this JavaScript engine has no WebAssembly SIMD; use --kernels exact, or Node 20.19 or newer',
    );
  }
  const relaxed = build === 'simd' ? undefined : await relaxedModule();
  if (relaxed !== undefined) return { build: 'relaxed', module: relaxed };
  if (build === 'relaxed')
    throw new LlamaError('UNSUPPORTED', 'this JavaScript engine has no relaxed SIMD; use the simd build');
  return { build: 'simd', module: await WebAssembly.compile(await readFile(artifact('simd.wasm'))) };
}

async function relaxedModule(): Promise<WebAssembly.Module | undefined> {
  const bytes = await readFile(artifact('relaxed.wasm'));
  return WebAssembly.validate(bytes) ? WebAssembly.compile(bytes) : undefined;
}
