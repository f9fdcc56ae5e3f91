import { expect } from 'vitest';
import { LlamaError, type LlamaErrorCode } from '../../src/base/errors.js';
import type { Chunks } from '../../src/files/chunks.js';
import { type ByteSource, memorySource } from '../../src/files/source.js';

/**
 * A safetensors file put together by hand: the length, `header` (text, or anything to be written as
 * JSON), `data`.
 */
export function fileOf(
  header: unknown,
  data: Uint8Array | number = 0,
  announced?: bigint,
): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === 'string' ? header : JSON.stringify(header),
  );
  const bytes = typeof data === 'number' ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + json.length + bytes.length);
  new DataView(file.buffer).setBigUint64(0, announced ?? BigInt(json.length), true);
  file.set(json, 8);
  file.set(bytes, 8 + json.length);
  return file;
}

export async function collect(chunks: Chunks): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

/** `promise` must reject with a LlamaError of this code whose message has all `words`. */
export async function expectRefused(
  promise: Promise<unknown>,
  code: LlamaErrorCode,
  ...words: string[]
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    reason => reason,
  );
  expect(error, 'nothing was thrown').toBeInstanceOf(LlamaError);
  expect(error.code).toBe(code);
  for (const word of words) expect(error.message).toContain(word);
}

/** A source in memory that counts what is read, and whether it was closed. */
export function watched(
  bytes: Uint8Array,
  name?: string,
): ByteSource & { bytesRead: number; closed: number } {
  const inner = memorySource(bytes, name);
  return {
    name: inner.name,
    size: inner.size,
    bytesRead: 0,
    closed: 0,
    readInto(offset, target) {
      this.bytesRead += target.length;
      return inner.readInto(offset, target);
    },
    async close() {
      this.closed++;
    },
  };
}
