/** The options of keeping pages on a disk: what each may be, in one table. */
import { number, type OptionTable, type Range } from '../../base/options.js';

/** Where pages of keys and values are kept, and how many. */
export interface DiskCacheOptions {
  /**
   * A directory. Default `prefixes` in LLAMA_32K_CACHE, which is `llama-32k` in XDG_CACHE_HOME or
   * ~/.cache.
   */
  readonly cacheDir?: string | undefined;
  /**
   * How many gigabytes (10⁹ bytes) may be kept of all models together; what was used longest ago
   * goes first. Half of what is free on the disk stays free in any case. Default 20.
   */
  readonly cacheSize?: number | undefined;
}

const path: Range = {
  is: 'the path of a directory',
  has: value => typeof value === 'string' && value !== '',
};

export const DISK_CACHE: OptionTable<DiskCacheOptions> = {
  cacheDir: {
    range: path,
    otherwise: '~/.cache/llama-32k/prefixes (XDG_CACHE_HOME, LLAMA_32K_CACHE)',
    value: 'DIR',
    help: 'Where keys and values of texts are kept.',
  },
  cacheSize: {
    range: number(Number.MIN_VALUE),
    default: 20,
    value: 'GB',
    help:
      'At most so many gigabytes are kept there, and half of what is free on the disk stays ' +
      'free; those used longest ago go first.',
  },
};
