/** What decides which keys and values are computed, for those who keep them. */
import type { LlamaConfig } from './config.js';

/**
 * Of all engines together. Another number whenever the bytes of any page become others for the same
 * weights and tokens: pages are kept on disks, and those of other versions are not taken.
 * `test/model/page-bytes.test.ts` tells when.
 */
export const PAGES_VERSION = 1;

/** Of pages of `engine`, which says what it is that the configuration does not. */
export function describePages(config: LlamaConfig, engine: object): string {
  // Where a text may end changes nothing of it.
  const { maxPositionEmbeddings, isLimitRaised, bosTokenId, eosTokenIds, ...own } = config;
  return JSON.stringify({ version: PAGES_VERSION, config: own, ...engine });
}
