/** The flags of `serve`: where to listen, and who may ask. */
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { check } from '../../base/errors.js';
import { boolean, number, type OptionTable } from '../../base/options.js';
import {
  LISTEN,
  type ListenOptions,
  SERVER,
  type ServerOptions,
} from '../../server/settings/options.js';
import { flagsOf, readOwnFlags } from './flags.js';
import type { Option, Options } from './options.js';

interface OwnOptions {
  readonly apiKeyFile?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly shutdownTimeout?: number | undefined;
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
};

export const SERVE_OPTIONS: readonly Option[] = [
  ...flagsOf(LISTEN),
  ...flagsOf(SERVER),
  ...flagsOf(OWN),
];

/** What `serve` was told of itself. */
export interface ServeSettings {
  readonly listen: ListenOptions;
  readonly server: ServerOptions;
  readonly shutdownTimeout: number;
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
  return { listen, server: { ...server, apiKey }, shutdownTimeout: own.shutdownTimeout! };
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
