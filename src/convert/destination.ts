/** Where a model may be written to, before anything is read: a path becomes a destination. */

import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { check, type LlamaError } from '../base/errors.js';
import { badOption } from '../base/options.js';
import { isPartial } from '../base/partial.js';

export interface Destination {
  /** Links are followed: what is there, or will be. */
  readonly path: string;
  /**
   * A GGUF file; a directory that is not there yet; or one that is there and empty, which may be a
   * disk of its own.
   */
  readonly kind: 'file' | 'new-directory' | 'directory';
  /** The permissions of the file that is replaced; undefined if there is none. */
  readonly mode?: number;
}

/** Whether what is written to `path` is a GGUF file, and not a directory. */
export const isGgufPath = (path: string): boolean => /\.gguf$/i.test(resolve(path));

/** That a file may only be replaced if that is asked for. */
export const isThere = (what: string): LlamaError =>
  badOption('force', `${what}; give another name, or force, which replaces it`);

/**
 * Where to write when `output` is given, and is it not the model at `source` itself?
 * @param force whether a file that is there may be replaced; a directory never is
 * @throws {LlamaError} BAD_OPTION or NOT_FOUND, saying what to do about it.
 */
export async function destinationOf(
  output: string,
  source: string,
  force: boolean,
): Promise<Destination> {
  const path = await followLinks(output);
  const present = await stat(path).catch(() => undefined);
  if (present === undefined) return { path, kind: isGgufPath(output) ? 'file' : 'new-directory' };
  const isSource = wholeOf(path) === wholeOf(await realpath(source).catch(() => ''));
  check(
    !isSource,
    'BAD_OPTION',
    () => `${output} is the model that is read, or a part of it; give another name`,
  );
  if (isGgufPath(output)) {
    const isFile = present.isFile();
    check(isFile, 'BAD_OPTION', () => `${output} is there, and is not a file; give another name`);
    if (!force) throw isThere(`${output} is there already`);
    return { path, kind: 'file', mode: present.mode & 0o7777 };
  }
  check(present.isDirectory(), 'BAD_OPTION', () => {
    return (
      `${output} is a file, and what is written is a directory; for a GGUF file give a name ` +
      'that ends in .gguf'
    );
  });
  await checkEmpty(path);
  return { path, kind: 'directory' };
}

/**
 * Throws BAD_OPTION if there is something in the directory, but for what a conversion that was
 * ended by force left, and what ext4 puts into the root of every disk.
 */
export async function checkEmpty(directory: string): Promise<void> {
  const found = (await readdir(directory)).find(name => name !== 'lost+found' && !isPartial(name));
  check(found === undefined, 'BAD_OPTION', () => {
    return (
      `the directory ${directory} is not empty, there is ${found}; give another name, or remove ` +
      'what is in it'
    );
  });
}

/** As many as Linux follows. */
const MOST_LINKS = 40;

/** `path` with all links followed, also where they lead to what is not there yet. */
async function followLinks(path: string): Promise<string> {
  let at = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links++) {
    const parent = await realpath(dirname(at)).catch(() => undefined);
    const isThere = parent !== undefined && (await stat(parent)).isDirectory();
    check(isThere, 'NOT_FOUND', () => {
      return `there is no directory ${dirname(at)} to write into; make it first`;
    });
    at = join(parent, basename(at));
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) return at;
    at = resolve(parent, target);
  }
  check(
    false,
    'BAD_OPTION',
    () => `${path} is a link that leads round and round; give another name`,
  );
}

/** The same for all parts of a split GGUF file. */
const wholeOf = (path: string): string => path.replace(/-\d{5}-of-\d{5}\.gguf$/i, '');
