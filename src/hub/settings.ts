/**
 * Where models come from and where they go, by huggingface_hub's environment variables, so that
 * both find each other's files.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { check } from '../base/errors.js';
import { checkOption, refuseUnknownOptions } from '../base/options.js';
import { isFilePath } from '../load/file-path.js';

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

export interface DownloadOptions {
  /** Branch, tag or commit. Default main. */
  readonly revision?: string | undefined;
  /** Only what is needed for this. Default: everything. Of a GGUF file it is always everything. */
  readonly only?: 'tokenizer' | undefined;
  /** Default HF_TOKEN. It is sent to `endpoint` and nowhere else. */
  readonly token?: string | undefined;
  /** Default HF_ENDPOINT, or https://huggingface.co. */
  readonly endpoint?: string | undefined;
  /** Ask nobody, take what is in the cache. Default HF_HUB_OFFLINE. */
  readonly offline?: boolean | undefined;
  /**
   * Default HF_HUB_CACHE, or hub in HF_HOME, which is huggingface in XDG_CACHE_HOME or ~/.cache.
   */
  readonly cacheDir?: string | undefined;
  /** Where the variables are looked up. Default process.env. */
  readonly env?: Environment | undefined;
  /** What has come by then is kept, and the next download goes on from there. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Told before every wait for another attempt. */
  readonly onRetry?: ((reason: string, seconds: number) => void) | undefined;
  /** Default: the one of the platform. */
  readonly fetch?: typeof fetch | undefined;
  /** Waits; rejects when the signal is aborted. Default: a timer. */
  readonly sleep?: Sleep | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type Sleep = (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;

export interface Settings {
  readonly revision: string;
  readonly token: string | undefined;
  readonly endpoint: string;
  readonly offline: boolean;
  readonly cacheDir: string;
}

/** An option that is undefined counts as absent. @throws {LlamaError} BAD_OPTION */
export function settingsOf(options: DownloadOptions): Settings {
  refuseUnknownOptions(options, OPTION_NAMES);
  const { revision = 'main', only, env = process.env } = options;
  checkOption('revision', revision, isRevision(revision), 'a branch, a tag or a commit');
  checkOption('only', only, only === undefined || only === 'tokenizer', 'tokenizer');
  // files of secrets end with a newline
  const token = (options.token ?? env.HF_TOKEN)?.trim() || undefined;
  check(
    token === undefined || /^[\x21-\x7e]+$/.test(token),
    'BAD_OPTION',
    () => 'HF_TOKEN has characters no token has',
  );
  const endpoint = (options.endpoint ?? env.HF_ENDPOINT ?? 'https://huggingface.co').replace(
    /\/+$/,
    '',
  );
  checkOption(
    'HF_ENDPOINT',
    endpoint,
    /^https?:/.test(endpoint) && URL.canParse(endpoint),
    'a URL, of http or https',
  );
  return {
    revision,
    token,
    endpoint,
    offline: options.offline ?? /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    cacheDir: options.cacheDir ?? cacheDirectory(env),
  };
}

const OPTION_NAMES = [
  'revision',
  'only',
  'token',
  'endpoint',
  'offline',
  'cacheDir',
  'env',
  'signal',
  'onProgress',
  'onRetry',
  'fetch',
  'sleep',
] satisfies (keyof DownloadOptions)[];

/** It becomes a path, refs/REVISION, and what git allows is nearly the same. */
const isRevision = (revision: unknown): boolean =>
  typeof revision === 'string' && isFilePath(revision);

/**
 * `getHFHubCachePath` of @huggingface/hub expands neither ~ nor $HOME, as huggingface_hub does, and
 * reads the process's environment only.
 */
function cacheDirectory(env: Environment): string {
  const home = env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');
  return expanded(env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? join(home, 'hub'), env);
}

/** Python's `expanduser` and `expandvars`. */
function expanded(path: string, env: Environment): string {
  return path
    .replace(/^~(?=$|[/\\])/, homedir)
    .replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, bare, braced) => env[bare ?? braced] ?? whole);
}
