/** Room for one more file of packed weights: what was used longest ago goes first. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { freeBytes, showBytes } from '../../base/disk.js';
import { isPartial, sweep } from '../../base/partial.js';

/** What the names of these files end in; nothing else in the directory is counted or removed. */
export const PACKED = '.packed';

/** Longer than any writing takes. */
const DAY_MS = 24 * 3600 * 1000;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  /** When it was written, or read for the last time. */
  readonly used: number;
}

/**
 * Removes packed weights from `directory` until there is room for `bytes` more among `maxBytes` in
 * all, and until they take no more than half of what is free on the disk. Returns why there is no
 * room, and then has removed nothing; or undefined.
 */
export async function makeRoom(
  directory: string,
  bytes: number,
  maxBytes: number,
): Promise<string | undefined> {
  await removeLeftovers(directory);
  if (bytes > maxBytes) return `they are more than the ${showBytes(maxBytes)} that are allowed`;
  const entries = await entriesOf(directory);
  const free = await freeBytes(directory);
  let kept = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (2 * bytes > free + kept)
    return `that is more than half of the ${showBytes(free)} that are free in ${directory}`;
  let removed = 0;
  for (const entry of entries) {
    if (kept + bytes <= maxBytes && 2 * bytes <= free + removed) break;
    await rm(entry.path, { force: true }).catch(() => {}); // in use, where that matters
    kept -= entry.bytes;
    removed += entry.bytes;
  }
  return undefined;
}

/**
 * What processes left that were killed while they wrote. Those of other machines and containers
 * that share the directory cannot be asked for: what they write is finished within a day.
 */
async function removeLeftovers(directory: string): Promise<void> {
  await sweep(directory, '');
  for (const name of (await readdir(directory)).filter(isPartial)) {
    const path = join(directory, name);
    const status = await stat(path).catch(() => undefined);
    const isOld = status !== undefined && Date.now() - status.mtimeMs > DAY_MS;
    if (isOld) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** What was used longest ago is first. */
async function entriesOf(directory: string): Promise<Entry[]> {
  const names = (await readdir(directory)).filter(name => name.endsWith(PACKED));
  const entries: Entry[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const status = await stat(path).catch(() => undefined); // another process removes, too
    if (status?.isFile()) entries.push({ path, bytes: status.size, used: status.mtimeMs });
  }
  return entries.sort((a, b) => a.used - b.used);
}
