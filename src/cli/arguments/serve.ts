/** The flags of `serve`: where to listen, and who may ask. */
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { check } from '../../base/errors.js';
import { boolean, checkOptions, number, type OptionTable } from '../../base/options.js';
import { DISK_CACHE, type DiskCacheOptions } from '../../load/prefix-cache/options.js';
import {
  LISTEN,
  type ListenOptions,
  SERVER,
  type ServerOptions,
} from '../../server/settings/options.js';
import { flagsOf, readFlags, readOwnFlags } from './flags.js';
import { LOOKUP } from './generation.js';
import type { Option, Options } from './options.js';

interface OwnOptions {
  readonly apiKeyFile?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly shutdownTimeout?: number | undefined;
  readonly lookup?: 'on' | 'off' | undefined;
  readonly noPrefixCache?: boolean | undefined;
}

const OWN: OptionTable<OwnOptions> = {
  apiKeyFile: {
    range: { is: 'a path', has: value => typeof value === 'string' && value !== '' },
    value: 'FILE',
    help: 'The same with a key on each line, which no list of processes shows.',
  },
  insecure: {
    range: boolean,
    default: false,
    help: 'Let everybody in who can reach an address that is not of this machine only.',
  },
  shutdownTimeout: {
    range: number(0),
    default: 30,
    value: 'S',
    help: 'After SIGTERM or Ctrl-C, seconds until what is still being written is given up.',
  },
  lookup: {
    ...LOOKUP.lookup,
    help: 'Where a text repeats itself, compute several tokens at once; they stay the same.',
  },
  noPrefixCache: {
    range: boolean,
    default: false,
    help: 'Read every prompt from its beginning, whatever was read before.',
  },
};

/** As the verb `cache` has it, but for one thing: nothing is written where nobody said so. */
const SERVED_CACHE: OptionTable<DiskCacheOptions> = {
  ...DISK_CACHE,
  cacheDir: {
    ...DISK_CACHE.cacheDir,
    otherwise: 'nowhere; they are kept in memory only',
    help: 'Where keys and values of texts are kept on the disk, also for the next start.',
  },
};

export const SERVE_OPTIONS: readonly Option[] = [
  ...flagsOf(LISTEN),
  ...flagsOf(SERVER),
  ...flagsOf(OWN),
  ...flagsOf(SERVED_CACHE),
];

/** What `serve` was told of itself. */
export interface ServeSettings {
  readonly listen: ListenOptions;
  readonly server: ServerOptions;
  readonly shutdownTimeout: number;
  /** What is read is kept on the disk, too; undefined: it is not. */
  readonly disk: DiskCacheOptions | undefined;
}

/**
 * @throws {LlamaError} BAD_OPTION, for an address that others can reach without a key, too;
 * NOT_FOUND if there is no file of keys.
 */
export async function serveSettings(options: Options): Promise<ServeSettings> {
  const listen = readOwnFlags(options, LISTEN);
  const own = readOwnFlags(options, OWN);
  const server = readOwnFlags(options, SERVER);
  const apiKey = [...(server.apiKey ?? []), ...(await keysIn(own.apiKeyFile))];
  const isOpen = !isLoopback(listen.host!) && apiKey.length === 0;
  check(!isOpen || own.insecure === true, 'BAD_OPTION', () => {
    return (
      `--host is ${listen.host}, which others can reach, and there is no key: give ` +
      '--api-key-file FILE, or --insecure to let everybody in'
    );
  });
  const prefixCache = !own.noPrefixCache;
  return {
    listen,
    server: { ...server, apiKey, lookup: own.lookup === 'on', prefixCache },
    shutdownTimeout: own.shutdownTimeout!,
    disk: diskSettings(options, prefixCache),
  };
}

function diskSettings(options: Options, prefixCache: boolean): DiskCacheOptions | undefined {
  const given = readFlags(options, SERVED_CACHE);
  const { cacheDir, cacheSize } = given;
  check(cacheDir !== undefined || cacheSize === undefined, 'BAD_OPTION', () => {
    return '--cache-size has no effect without --cache-dir DIR';
  });
  if (cacheDir === undefined) return undefined;
  check(prefixCache, 'BAD_OPTION', () => '--cache-dir has no effect with --no-prefix-cache');
  checkOptions(given, SERVED_CACHE);
  return given;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);

async function keysIn(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch(() => undefined);
  check(text !== undefined, 'NOT_FOUND', () => `--api-key-file: ${file} cannot be read`);
  const keys = text.split('\n').map(line => line.trim());
  const found = keys.filter(line => line !== '');
  check(found.length > 0, 'BAD_OPTION', () => `--api-key-file: there is no key in ${file}`);
  return found;
}

/** The id of a model: what was asked for on the hub, or the name of its directory or file. */
export function servedName(options: Options, path: string): string {
  const asked = options.text('model');
  const isPath = asked === undefined || path === asked;
  if (!isPath) return asked;
  return basename(path, extname(path) === '.gguf' ? '.gguf' : '');
}
