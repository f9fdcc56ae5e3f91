/** Where packed weights are kept: with what else this user's programs can make again. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `packed` in LLAMA_32K_CACHE, which is `llama-32k` in XDG_CACHE_HOME, which is `~/.cache`. */
export function packCacheDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const caches = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(env.LLAMA_32K_CACHE || join(caches, 'llama-32k'), 'packed');
}
