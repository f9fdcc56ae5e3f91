/**
 * The cache of one repository, as huggingface_hub has it
 * (huggingface.co/docs/huggingface_hub/guides/manage-cache):
 *
 *     models--owner--name/
 *       blobs/5f0c…            the bytes of a file, by its etag
 *       refs/main              the commit that this branch was at
 *       snapshots/<commit>/    the files by their names: relative links to blobs
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { check, show } from '../base/errors.js';
import { isFile } from '../files/file.js';
import { isFilePath } from '../load/file-path.js';
import { inCache, sizeOf } from './cache-disk.js';

/** A file of a repository. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** The name of the blob, and its checksum: SHA-256 of large files, of others git's SHA-1. */
  readonly etag: string;
}

export class RepositoryCache {
  readonly directory: string;

  constructor(cacheDir: string, repo: string) {
    this.directory = join(cacheDir, `models--${repo.replace('/', '--')}`);
  }

  blob({ etag }: Pick<RemoteFile, 'etag'>): string {
    return join(this.directory, 'blobs', etag);
  }

  snapshot(commit: string): string {
    return join(this.directory, 'snapshots', commit);
  }

  /** Where the file is by its name. */
  file(commit: string, path: string): string {
    check(
      isFilePath(path),
      'DOWNLOAD_FAILED',
      () => `${show(path)} is not the path of a file in a repository`,
    );
    return join(this.snapshot(commit), path);
  }

  /** The commit of a branch or tag when it was last downloaded. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const commit = await readFile(join(this.directory, 'refs', revision), 'utf8').catch(() => '');
    return isCommit(commit.trim()) ? commit.trim() : undefined;
  }

  async rememberCommit(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const ref = join(this.directory, 'refs', revision);
    await inCache(ref, async () => {
      await mkdir(dirname(ref), { recursive: true });
      await writeFile(ref, commit);
    });
  }

  /**
   * Names of the files in a directory of the snapshot, as their paths in the repository; links to
   * nothing are left out.
   */
  async list(commit: string, directory: string): Promise<string[]> {
    const names = await readdir(join(this.snapshot(commit), directory)).catch(() => []);
    const paths = names.map(name => (directory === '' ? name : `${directory}/${name}`));
    const areFiles = await Promise.all(
      paths.map(path => isFile(join(this.snapshot(commit), path))),
    );
    return paths.filter((_, i) => areFiles[i]);
  }

  /** Where all its bytes are: as a blob or, where Python could not make links, under its name. */
  async find(commit: string, file: RemoteFile): Promise<string | undefined> {
    for (const path of [this.blob(file), this.file(commit, file.path)]) {
      if ((await sizeOf(path)) === file.size) return path;
    }
    return undefined;
  }

  /** Gives the blob of `file` its name. Several may do it at once. */
  async link(commit: string, file: RemoteFile): Promise<void> {
    const name = this.file(commit, file.path);
    if ((await sizeOf(name)) === file.size) return;
    const blob = this.blob(file);
    const temporary = `${name}.${randomUUID()}`;
    await inCache(name, async () => {
      await mkdir(dirname(name), { recursive: true });
      // Windows wants a privilege for symbolic links, but not for hard ones.
      await symlink(relative(dirname(name), blob), temporary).catch(() => link(blob, temporary));
      await rename(temporary, name);
    });
  }
}

export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);
