/** Room for one more file among those that can be made again: what was used longest ago goes. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { freeBytes, showBytes } from '../../base/disk.js';
import { isPartial, sweep } from '../../base/partial.js';

/** Longer than any writing takes. */
const DAY_MS = 24 * 3600 * 1000;

/** A file that is there. */
export interface Entry {
  readonly path: string;
  readonly bytes: number;
  /** When it was written, or read for the last time. */
  readonly used: number;
}

/**
 * Removes files from `directory` whose names end in `suffix`, until there is room for `bytes` more
 * among `maxBytes` in all, and until they take no more than half of what is free on the disk.
 * Returns why there is no room, and then has removed nothing; or undefined.
 */
export async function makeRoom(
  directory: string,
  suffix: string,
  bytes: number,
  maxBytes: number,
): Promise<string | undefined> {
  await removeLeftovers(directory);
  if (bytes > maxBytes) return `they are more than the ${showBytes(maxBytes)} that are allowed`;
  const entries = await entriesOf(directory, suffix);
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
export async function removeLeftovers(directory: string): Promise<void> {
  await sweep(directory, '');
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter(isPartial)) {
    const path = join(directory, name);
    const status = await stat(path).catch(() => undefined);
    const isOld = status !== undefined && Date.now() - status.mtimeMs > DAY_MS;
    if (isOld) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** What was used longest ago is first. */
export async function entriesOf(directory: string, suffix: string): Promise<Entry[]> {
  const names = (await readdir(directory)).filter(name => name.endsWith(suffix));
  const entries: Entry[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const status = await stat(path).catch(() => undefined); // another process removes, too
    if (status?.isFile()) entries.push({ path, bytes: status.size, used: status.mtimeMs });
  }
  return entries.sort((a, b) => a.used - b.used);
}
