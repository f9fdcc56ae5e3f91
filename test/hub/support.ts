import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';
import { type DownloadOptions, downloadModel } from '../../src/hub/download-model.js';
import { goldenPath } from '../support/golden.js';
import { COMMIT, FakeHub, REPO } from './fake-hub.js';

const directories: string[] = [];
afterAll(() => Promise.all(directories.map(path => rm(path, { recursive: true }))));

export async function emptyDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'llama-32k-hub-'));
  directories.push(path);
  return path;
}

/** Bytes that look like nothing, the same every time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export const WEIGHTS = noise(300_000);

/** What `owner/name` has, with other things that are not needed. */
export const MODEL_FILES = {
  'README.md': '# A model\n',
  'config.json': '{"model_type": "llama"}\n',
  'generation_config.json': '{}\n',
  'tokenizer.model': noise(5_000, 2),
  'tokenizer.json': '{}',
  'model.safetensors': WEIGHTS,
  'pytorch_model.bin': noise(1_000, 3),
  'onnx/config.json': '{}',
};

export const NEEDED = [
  'config.json',
  'generation_config.json',
  'tokenizer.model',
  'tokenizer.json',
  'model.safetensors',
];

/** The files of golden/`name`, without the traces. */
export async function goldenFiles(name: string): Promise<Record<string, Buffer>> {
  const paths = (await readdir(goldenPath(name))).filter(path => !/^(trace|greedy)/.test(path));
  const contents = await Promise.all(paths.map(path => readFile(join(goldenPath(name), path))));
  return Object.fromEntries(paths.map((path, i) => [path, contents[i]]));
}

/** A hub, an empty cache, and a client that does not really wait. */
export class Setting implements AsyncDisposable {
  readonly hub: FakeHub;
  /** The cache is some directories below: what climbs out of it ends up here. */
  readonly root: string;
  readonly cache: string;
  /** Milliseconds that the client would have waited. */
  readonly waits: number[] = [];
  readonly retries: string[] = [];

  constructor(hub: FakeHub, root: string) {
    this.hub = hub;
    this.root = root;
    this.cache = join(root, 'a/b/c');
  }

  static async create(
    files: Readonly<Record<string, Buffer | string>> = MODEL_FILES,
  ): Promise<Setting> {
    return new Setting(await FakeHub.start(files), await emptyDirectory());
  }

  download(options: DownloadOptions = {}, reference = REPO): Promise<string> {
    return downloadModel(reference, {
      env: { HF_ENDPOINT: this.hub.endpoint, HF_HUB_CACHE: this.cache, HF_HOME: this.root },
      onRetry: reason => this.retries.push(reason),
      sleep: async milliseconds => {
        this.waits.push(milliseconds);
        await setImmediate();
      },
      ...options,
    });
  }

  blob(path: string): string {
    return join(this.cache, 'models--owner--name', 'blobs', this.hub.etag(path));
  }

  incomplete(path: string): string {
    return `${this.blob(path)}.incomplete`;
  }

  snapshot(path = '', commit = COMMIT): string {
    return join(this.cache, 'models--owner--name', 'snapshots', commit, path);
  }

  /** Every file and link of the cache, with what it is. */
  async tree(): Promise<Record<string, string>> {
    const entries = await readdir(this.cache, { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    const tree: Record<string, string> = {};
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(this.cache.length + 1).replaceAll('\\', '/');
      if (entry.isSymbolicLink()) tree[name] = `-> ${await readlink(path)}`;
      else if (entry.isFile()) tree[name] = `${(await readFile(path)).length} bytes`;
    }
    return tree;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.hub[Symbol.asyncDispose]();
  }
}

/**
 * For `rejects.toMatchObject`: an error of this code, and these words in its message, in this
 * order.
 */
export function refusal(code: string, ...words: string[]) {
  const escaped = words.map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return { code, message: expect.stringMatching(new RegExp(escaped.join('.*'), 's')) };
}

/** `expect` of what will be seen sooner or later. */
export const until = <T>(see: () => T) => expect.poll(see, { timeout: 30_000, interval: 5 });

/** Whether these are the bytes of the file at `path`. `toEqual` takes a second for as many. */
export const holds = async (path: string, bytes: Buffer) => (await readFile(path)).equals(bytes);
