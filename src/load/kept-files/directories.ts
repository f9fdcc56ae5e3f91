/** Where files are kept that can be made again: with what else this user's programs can. */
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Of packed weights: `packed` in LLAMA_32K_CACHE. */
export const packCacheDirectory = (env: Environment): string => join(cacheDirectory(env), 'packed');

/** Of pages of keys and values: `prefixes` in LLAMA_32K_CACHE. */
export const prefixCacheDirectory = (env: Environment): string =>
  join(cacheDirectory(env), 'prefixes');

/** LLAMA_32K_CACHE, which is `llama-32k` in XDG_CACHE_HOME, which is `~/.cache`. */
function cacheDirectory(env: Environment): string {
  const caches = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return env.LLAMA_32K_CACHE || join(caches, 'llama-32k');
}
