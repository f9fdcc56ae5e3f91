/** The compiled kernels over a memory of their own, far larger than any cache. */
import { readFile } from 'node:fs/promises';
import { type Build, canRun } from '../../src/engines/wasm/kernels/builds.js';
import type { KernelExports } from '../../src/engines/wasm/kernels/exports.js';
import { normalTable } from '../random-weights.js';

const MEMORY = 2 ** 29;

export interface Kernels {
  readonly build: Build;
  readonly exports: KernelExports;
  readonly memory: WebAssembly.Memory;
  /**
   * Writes `count` numbers like those of a model to `pointer`: of small integers, read as float32,
   * kernels would be slow.
   */
  numbers(pointer: number, count: number): void;
}

/** Undefined if this engine cannot run that build. `file`: of which module, if of another one. */
export async function openKernels(
  build: Build,
  file: string = build,
): Promise<Kernels | undefined> {
  if (!canRun(build)) return undefined;
  const code = new Uint8Array(
    await readFile(new URL(`../../../dist/engines/wasm/${file}.wasm`, import.meta.url)),
  );
  const memory = new WebAssembly.Memory({
    initial: MEMORY / 65_536,
    maximum: 65_536,
    shared: true,
  });
  const { exports } = new WebAssembly.Instance(await WebAssembly.compile(code), {
    env: { memory },
  });
  const table = normalTable();
  return {
    build,
    exports: exports as unknown as KernelExports,
    memory,
    numbers(pointer, count) {
      for (let done = 0; done < count; done += table.length) {
        const part = table.subarray(0, Math.min(table.length, count - done));
        new Float32Array(memory.buffer, pointer + done * 4, part.length).set(part);
      }
    },
  };
}
