/** The disk's part of a prefix cache, for a model that is loaded. */
import { check } from '../../base/errors.js';
import { checkOptions } from '../../base/options.js';
import type { PageStore } from '../../text/prefix-cache/page-store.js';
import { prefixCacheDirectory } from '../kept-files/directories.js';
import type { KeptFilesSettings } from '../kept-files/kept-files.js';
import { removeLeftovers } from '../kept-files/room.js';
import type { LoadedModel } from '../model.js';
import { packageVersion } from '../version.js';
import { DiskCache } from './disk-cache.js';
import { DISK_CACHE, type DiskCacheOptions } from './options.js';

/** Throws BAD_OPTION. */
export function keptPagesSettings(options: DiskCacheOptions = {}): KeptFilesSettings {
  const { cacheDir = prefixCacheDirectory(process.env), cacheSize } = checkOptions(
    options,
    DISK_CACHE,
  );
  return { directory: cacheDir, maxBytes: cacheSize! * 1e9 };
}

/**
 * Keeps pages of `loaded` on the disk, for option `store` of `PrefixCache`; `flush` it before the
 * model is closed.
 *
 * @param onWarning is told what is wrong with a file, which is then removed, or with the disk
 * @throws {LlamaError} BAD_OPTION; UNSUPPORTED if nothing tells the model's files from others
 */
export async function openDiskCache(
  loaded: Pick<LoadedModel, 'path' | 'model' | 'identity'>,
  options: DiskCacheOptions = {},
  onWarning?: (text: string) => void,
): Promise<PageStore> {
  const settings = keptPagesSettings(options);
  const { path, model, identity: weights } = loaded;
  check(weights !== undefined, 'UNSUPPORTED', () => {
    return (
      `what is computed with ${path} cannot be kept: its files changed a moment ago, or while ` +
      'they were read; load it again'
    );
  });
  const pages: unknown = JSON.parse(model.engine.describePages());
  const identity = { package: await packageVersion(), weights, pages };
  await removeLeftovers(settings.directory);
  return new DiskCache({ ...settings, identity, model: path, onWarning });
}
