/**
 * Memories that all threads share. WebAssembly gives them out in units of 64 KiB, which it calls
 * pages; here a page is 64 positions of a text.
 */
import { LlamaError } from '../../../base/errors.js';
import { platform } from '../platform/here.js';

/** What memories are multiples of. */
export const UNIT_BYTES = 65_536;
/** Everything in a memory begins at a multiple of this: a cache line. */
export const LINE_BYTES = 64;
/** All that wasm32 can address. */
export const FOUR_GIB = 65_536 * UNIT_BYTES;

/**
 * A memory of at least `bytes` that can grow to 4 GiB.
 * @throws {LlamaError} OUT_OF_MEMORY, with what to do about it.
 */
export function allocateMemory(bytes: number): WebAssembly.Memory {
  const initial = Math.ceil(bytes / UNIT_BYTES);
  try {
    return new WebAssembly.Memory({ initial, maximum: FOUR_GIB / UNIT_BYTES, shared: true });
  } catch (cause) {
    throw new LlamaError(
      'OUT_OF_MEMORY',
      `cannot allocate a WebAssembly memory of ${bytes} bytes; ${remedy()}`,
      { cause },
    );
  }
}

/** Makes `memory` at least so large. Throws OUT_OF_MEMORY. */
export function growMemory(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return;
  try {
    memory.grow(Math.ceil(missing / UNIT_BYTES));
  } catch (cause) {
    throw new LlamaError(
      'OUT_OF_MEMORY',
      `no memory for ${missing} more bytes of keys and values; ${remedy()}`,
      { cause },
    );
  }
}

/**
 * For every memory V8 reserves ten gigabytes of addresses, so that it need not check bounds: under
 * `ulimit -v` it is they that are missing, whatever the size of the model.
 */
function remedy(): string {
  const limit = platform.addressLimit();
  return limit === undefined
    ? 'close other programs, or choose smaller weights'
    : `this process is limited to ${limit} bytes of addresses (ulimit -v), and V8 reserves 10 ` +
        'GB of them for each memory: raise the limit, or run node --disable-wasm-trap-handler';
}
