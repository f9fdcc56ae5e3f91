/** Models loaded through a cache of packed weights in a directory of their own. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import type { WasmOptions } from '../../../src/engines/wasm/options.js';
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import { openModelFiles } from '../../../src/load/model-files.js';
import { PackCache, type PackCacheSettings } from '../../../src/load/pack-cache/pack-cache.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { Llama } from '../../../src/model/llama.js';
import { allLogits, goldenPath } from '../../support/golden.js';

/** What came of a loading. */
export interface Loaded {
  /** SHA-256 of the logits of a few tokens. */
  readonly bits: string;
  readonly notes: readonly string[];
  /** Whether tensors were read, and not a packed file alone. */
  readonly wasPacked: boolean;
}

export interface LoadingOptions extends WasmOptions {
  /** Of the cache; `false` for none. */
  readonly cached?: Partial<PackCacheSettings> | false;
  readonly change?: (checkpoint: Checkpoint) => Checkpoint;
}

const TOKENS = [1, 17, 300, 5, 5, 120, 42];

/** A directory for each test, in which `load` keeps what it packs. */
export function packCacheDirectory() {
  let root = '';
  const at = (...names: string[]) => join(root, ...names);
  const directory = () => at('packed');
  const now = Date.now;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'llama-32k-packed-'));
    // Files are believed two seconds after they were written.
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 10_000);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(root, { recursive: true });
  });

  async function load(path: string, options: LoadingOptions = {}): Promise<Loaded> {
    const { cached = {}, change = same => same, ...own } = options;
    const settings = { directory: directory(), maxBytes: 1e9, version: '1', minBytes: 0 };
    const store = cached === false ? undefined : new PackCache({ ...settings, ...cached });
    const { config, checkpoint } = await openModelFiles(path);
    const { watched, wasRead } = watch(change(checkpoint));
    try {
      const wasm = { weights: 'q8_0' as const, threads: 2, context: 64, maxRows: 8, ...own };
      const engine = await WasmEngine.load(config, watched, wasm, store);
      await using model = new Llama(config, engine);
      const tokens = TOKENS.map(token => token % config.vocabSize);
      const logits = Float32Array.from(await allLogits(model, tokens));
      const bits = createHash('sha256').update(logits).digest('hex');
      return { bits, notes: store?.notes ?? [], wasPacked: wasRead() };
    } finally {
      await checkpoint.close();
    }
  }

  /** Names of all that is in the cache. */
  const names = () => readdir(directory()).catch(() => []);
  const theFile = async () => {
    const [name, ...others] = await names();
    if (name === undefined || others.length > 0) throw new Error(`files: ${name} ${others}`);
    return join(directory(), name);
  };
  return { at, directory, load, names, theFile };
}

function watch(checkpoint: Checkpoint) {
  let count = 0;
  const tensors = [...checkpoint.tensors].map(([name, tensor]) => {
    const read: typeof tensor.read = (...rows) => {
      count++;
      return tensor.read(...rows);
    };
    const readInto: typeof tensor.readInto = (...rows) => {
      count++;
      return tensor.readInto(...rows);
    };
    const { dtype, shape, byteLength } = tensor;
    const readBytes: typeof tensor.readBytes = (...rows) => tensor.readBytes(...rows);
    return [name, { name, dtype, shape, byteLength, read, readInto, readBytes }] as const;
  });
  const watched: Checkpoint = {
    name: checkpoint.name,
    tensors: new Map(tensors),
    identify: async () => checkpoint.identify?.(),
    close: () => checkpoint.close(),
  };
  return { watched, wasRead: () => count > 0 };
}

export const GQA = goldenPath('gqa');
