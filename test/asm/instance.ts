/**
 * The compiled kernels, all builds, each over a memory that is full of NaN until a test puts
 * something there.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { afterAll, beforeAll, describe } from 'vitest';
import { packageFile } from '../../src/base/package.js';
import { BUILDS, type Build, canRun, isWide } from '../../src/engines/wasm/kernels/builds.js';
import type { KernelExports } from '../../src/engines/wasm/kernels/exports.js';
import { TIERING_BUDGET } from '../../src/engines/wasm/platform/node.js';

export { BUILDS };

const PAGES = 512; // 32 MiB

export class Instance {
  readonly build: Build;
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly #base: number;
  #next: number;

  /** All places are at `base` or above it; what lies below is not touched, so it costs nothing. */
  constructor(build: Build, base = 65_536) {
    this.build = build;
    this.#base = base;
    this.#next = base;
    const initial = Math.min(base / 65_536 + PAGES, 65_536);
    this.memory = new WebAssembly.Memory({ initial, maximum: 65_536, shared: true });
    if (isWide(build)) setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.short}`);
    const module = new WebAssembly.Module(bytesOf(build));
    this.kernels = new WebAssembly.Instance(module, { env: { memory: this.memory } })
      .exports as never;
    if (isWide(build)) setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.usual}`);
    new Uint8Array(this.memory.buffer, base - 64).fill(0xff);
  }

  /**
   * A place of its own, at a multiple of 64 bytes, with something left free before and after it.
   */
  reserve(bytes: number): number {
    const pointer = this.#next;
    this.#next = Math.ceil((pointer + bytes) / 64) * 64 + 64;
    if (this.#next > this.memory.buffer.byteLength)
      throw new RangeError('the memory of this test is full');
    return pointer;
  }

  /** Forgets all places; what was written becomes NaN again. */
  reset(): void {
    new Uint8Array(this.memory.buffer, this.#base, this.#next - this.#base).fill(0xff);
    this.#next = this.#base;
  }

  floats(pointer: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, length);
  }

  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, length);
  }

  /** Puts `values` there, rows `stride` apart, zeros between width and stride. */
  place(values: ArrayLike<number>, width: number, stride: number): number {
    const rows = values.length / width;
    const pointer = this.reserve(rows * stride * 4);
    const to = this.floats(pointer, rows * stride).fill(0);
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < width; k++) to[r * stride + k] = values[r * width + k];
    return pointer;
  }
}

/** Runs the tests of `body` on every build that this engine can run. */
export function describeBuilds(name: string, body: (instance: Instance) => void): void {
  for (const build of BUILDS) {
    const able = canRun(build);
    if (!able)
      console.warn(
        `\n!!! ${name}: the build "${build}" is NOT tested, this engine cannot run it !!!\n`,
      );
    const title = `${name} (${build}.wasm${able ? '' : ': SKIPPED, this engine cannot run it'})`;
    describe.skipIf(!able)(title, () => {
      if (able && isWide(build)) widen();
      if (able) body(new Instance(build));
    });
  }
}

/**
 * During the tests of a `describe`, functions that are called a few times become 256-bit code at
 * once, as in `optimizeAtOnce` of the platform.
 */
function widen(): void {
  const flags = ['wasm-sync-tier-up', 'experimental-wasm-revectorize'];
  beforeAll(() => {
    for (const flag of flags) setFlagsFromString(`--${flag}`);
  });
  afterAll(() => {
    for (const flag of flags) setFlagsFromString(`--no-${flag}`);
  });
}

function bytesOf(build: Build): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(packageFile(`dist/engines/wasm/${build}.wasm`)));
}
