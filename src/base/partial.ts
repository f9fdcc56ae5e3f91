/**
 * Where files lie until all of them are written: a directory on the same disk as the output, with
 * the name of who writes it, so that a later run knows what nobody will finish.
 *
 *     model.gguf.partial-5f0c9a1e-4711-Xb3k9Q      beside an output that is not there yet
 *     .partial-5f0c9a1e-4711-Xb3k9Q                in a directory that is
 *                       machine, process, random
 */

import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { onDisk, type Purpose } from './disk.js';

/** What a process that did not come to its end left, or what another one is writing. */
export interface Leftover {
  readonly path: string;
  /** Its process has ended, and it was removed. */
  readonly isRemoved: boolean;
}

/**
 * What `use` returns, which is given an empty directory in `directory`; that is removed whatever
 * happens.
 * @param name what its name begins with: that of the output, or nothing in an output of its own
 * @param purpose what is said when the system refuses the directory
 */
export async function withPartial<T>(
  directory: string,
  name: string,
  purpose: Purpose,
  use: (partial: string) => Promise<T>,
): Promise<T> {
  const prefix = join(directory, `${name}${PARTIAL}${machine()}-${process.pid}-`);
  const partial = await onDisk(join(directory, name), purpose, () => mkdtemp(prefix));
  try {
    return await use(partial);
  } finally {
    // what went wrong before is what matters
    await rm(partial, { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * Removes what ended processes of this machine left of `withPartial` with the same arguments; tells
 * also what stays.
 */
export async function sweep(directory: string, name: string): Promise<Leftover[]> {
  const names = await readdir(directory).catch(() => []);
  const left = names.filter(each => each.startsWith(name) && isPartial(each.slice(name.length)));
  return Promise.all(
    left.map(async each => {
      const path = join(directory, each);
      return { path, isRemoved: isDead(each) && (await remove(path)) };
    }),
  );
}

/** Whether that succeeded. */
const remove = (path: string): Promise<boolean> =>
  rm(path, { recursive: true, force: true }).then(
    () => true,
    () => false,
  );

const PARTIAL = '.partial-';
const NAME = /\.partial-([0-9a-f]{8})-(\d+)-\w{6}$/;

/** Whether `withPartial` gave this name, without what it begins with; any version of it. */
export const isPartial = (name: string): boolean => /^\.partial-[\w-]+$/.test(name);

function isDead(name: string): boolean {
  const [, where, pid] = NAME.exec(name) ?? [];
  if (where !== machine()) return false;
  try {
    process.kill(Number(pid), 0); // sends nothing
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Processes are numbered anew on each machine, and on Linux in each namespace (containers). */
function machine(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {}
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
}
