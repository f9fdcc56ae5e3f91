/**
 * Where models come from and where they go, by huggingface_hub's environment variables, so that
 * both find each other's files.
 */
import {
  abortSignal,
  callback,
  checkOption,
  checkValues,
  type OptionTable,
  refuseUnknownOptions,
} from '../base/options.js';
import { isFilePath } from '../load/file-path.js';
import { cacheDirectory, type Environment, isOn } from './directories.js';
import { type Endpoint, parseEndpoint } from './endpoint.js';

/** How far a download is, in bytes of all files. */
export interface DownloadProgress {
  /**
   * Bytes are fetched first; those of the files that are complete are then compared with their
   * checksums.
   */
  readonly stage: 'download' | 'verify';
  /** Bytes, of all files that were not in the cache. */
  readonly done: number;
  readonly total: number;
}

/** Where a model is downloaded from and to, and how. */
export interface DownloadOptions {
  /** Branch, tag or commit. Default main. */
  readonly revision?: string | undefined;
  /** Only what is needed for this. Default: everything. Of a GGUF file it is always everything. */
  readonly only?: 'tokenizer' | undefined;
  /**
   * Default HF_TOKEN, or the one of `hf auth login`, in HF_TOKEN_PATH or HF_HOME/token. It is sent
   * to `endpoint` and nowhere else.
   */
  readonly token?: string | undefined;
  /**
   * Default HF_ENDPOINT, or https://huggingface.co. With a name and a password these are sent in
   * place of the token.
   */
  readonly endpoint?: string | undefined;
  /** Ask nobody, take what is in the cache. Default HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE. */
  readonly offline?: boolean | undefined;
  /**
   * Default HF_HUB_CACHE, or hub in HF_HOME, which is huggingface in XDG_CACHE_HOME or ~/.cache.
   */
  readonly cacheDir?: string | undefined;
  /** Where the variables are looked up. Default process.env. */
  readonly env?: Environment | undefined;
  /** What has come by then is kept, and the next download goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes come, and as they are verified. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Told before every wait for another attempt. */
  readonly onRetry?: ((reason: string, seconds: number) => void) | undefined;
  /** Default: the one of the platform. */
  readonly fetch?: typeof fetch | undefined;
  /** Waits; rejects when the signal is aborted. Default: a timer. */
  readonly sleep?: Sleep | undefined;
}

export type Sleep = (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;

export interface Settings {
  readonly revision: string;
  readonly endpoint: Endpoint;
  readonly offline: boolean;
  readonly cacheDir: string;
}

/** An option that is undefined counts as absent. @throws {LlamaError} BAD_OPTION */
export function settingsOf(options: DownloadOptions): Settings {
  refuseUnknownOptions(options, OPTION_NAMES);
  checkValues<Hooks>(options, HOOKS);
  const { revision = 'main', only, env = process.env } = options;
  checkOption('revision', revision, isRevision(revision), 'a branch, a tag or a commit');
  checkOption('only', only, only === undefined || only === 'tokenizer', 'tokenizer');
  return {
    revision,
    endpoint: parseEndpoint(options.endpoint ?? env.HF_ENDPOINT ?? 'https://huggingface.co'),
    offline: options.offline ?? isOn(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
    cacheDir: options.cacheDir ?? cacheDirectory(env),
  };
}

type Hooks = Pick<DownloadOptions, 'signal' | 'onProgress' | 'onRetry' | 'fetch' | 'sleep'>;

const HOOKS: OptionTable<Hooks> = {
  signal: { range: abortSignal },
  onProgress: { range: callback },
  onRetry: { range: callback },
  fetch: { range: callback },
  sleep: { range: callback },
};

const OPTION_NAMES = [
  'revision',
  'only',
  'token',
  'endpoint',
  'offline',
  'cacheDir',
  'env',
  ...Object.keys(HOOKS),
];

/** It becomes a path, refs/REVISION, and what git allows is nearly the same. */
const isRevision = (revision: unknown): boolean =>
  typeof revision === 'string' && isFilePath(revision);
