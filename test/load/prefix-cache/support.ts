/** Texts that are kept in a directory of their own, by processes that begin anew. */
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { WasmSequence } from '../../../src/engines/wasm/memory/paged-sequence.js';
import { DiskCache, type DiskCacheSettings } from '../../../src/load/prefix-cache/disk-cache.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import { PagedTexts } from '../../support/paged-texts.js';

/** A process: its memory, which is empty, and the directory, which need not be. */
export class Process {
  readonly texts: PagedTexts;
  readonly disk: DiskCache;
  readonly cache: PrefixCache;
  readonly warnings: string[] = [];

  constructor(settings: Partial<DiskCacheSettings> & { directory: string }, maxPages?: number) {
    this.texts = new PagedTexts(maxPages);
    this.disk = new DiskCache({
      maxBytes: 1e9,
      identity: { weights: 'a' },
      model: 'model',
      onWarning: text => this.warnings.push(text),
      ...settings,
    });
    this.cache = new PrefixCache(this.texts, { store: this.disk });
  }

  /** Computes what is not known of a text, and has it kept. Returns how much was known. */
  async run(tokens: readonly number[], salt = ''): Promise<number> {
    const length = await this.ask(tokens, salt);
    const { sequence } = await this.cache.take(tokens, salt);
    this.texts.compute(sequence as WasmSequence, tokens);
    this.cache.keep(tokens, sequence, salt);
    sequence.dispose();
    await this.cache.flush();
    return length;
  }

  /** How much is known of a text, all of which is right. */
  async ask(tokens: readonly number[], salt = ''): Promise<number> {
    const { sequence, length } = await this.cache.take(tokens, salt);
    expect(this.texts.read(sequence as WasmSequence)).toEqual(tokens.slice(0, length));
    sequence.dispose();
    return length;
  }
}

export function cacheDirectory() {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'llama-32k-prefixes-'));
  });
  afterEach(() => rm(root, { recursive: true }));
  const directory = () => join(root, 'prefixes');
  const start = (settings: Partial<DiskCacheSettings> = {}, maxPages?: number) =>
    new Process({ directory: directory(), ...settings }, maxPages);
  const names = async () => (await readdir(directory()).catch(() => [])).sort();
  const theFile = async () => {
    const [name, ...others] = await names();
    if (name === undefined || others.length > 0) throw new Error(`files: ${name} ${others}`);
    return join(directory(), name);
  };
  return { directory, start, names, theFile };
}

export const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** Another bit at `byte`. */
export async function flip(file: string, byte: number): Promise<void> {
  const handle = await open(file, 'r+');
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, byte);
  await handle.write(Buffer.of(buffer[0] ^ 0x10), 0, 1, byte);
  await handle.close();
}
