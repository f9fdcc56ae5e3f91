/**
 * Models of the Hugging Face hub, downloaded into the cache that huggingface_hub has too:
 *
 *     const path = await downloadModel('togethercomputer/Llama-2-7B-32K-Instruct');
 *     await using loaded = await loadModel(path);
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { showBytes } from '../base/disk.js';
import { check, show } from '../base/errors.js';
import { inParallel } from '../base/parallel.js';
import { readJson } from '../files/file.js';
import { parseReference, type Reference } from '../load/reference.js';
import { type RemoteFile, RepositoryCache } from './cache.js';
import { checkCacheSpace, inCache, sizeOf } from './cache-disk.js';
import { downloadBlob, incompletePath } from './download.js';
import { neededFiles, type Place } from './files.js';
import { checkFile, listFiles, resolveRevision } from './repository.js';
import type { Connection, Credentials } from './request.js';
import { type DownloadOptions, type Settings, settingsOf } from './settings.js';
import { Tally } from './tally.js';
import { findToken } from './token.js';

export type { DownloadOptions, DownloadProgress } from './settings.js';

const FILES_AT_ONCE = 4;

/** The index of a model with a million tensors has less. It is read as a whole. */
const LARGEST_JSON = 128e6;

/**
 * Downloads what is not in the cache yet of `reference`, which is `owner/name` or
 * `owner/name:file.gguf`, and gives the path for `loadModel`. Of a model as Hugging Face has it
 * only the files that it is loaded from; of GGUF files in several parts all parts.
 *
 * @throws {LlamaError} BAD_OPTION; NOT_FOUND for a model, revision or file that is not there;
 * UNAUTHORIZED; DOWNLOAD_FAILED, and then what came is kept; BAD_CHECKPOINT if the index of the
 * weights is broken. The signal's reason if it is aborted.
 */
export async function downloadModel(
  reference: string,
  options: DownloadOptions = {},
): Promise<string> {
  const settings = settingsOf(options);
  const parsed = parseReference(reference);
  check(parsed !== undefined, 'BAD_OPTION', () => {
    return (
      `${show(reference)} is not the name of a model; it must be owner/name, or ` +
      'owner/name:file.gguf'
    );
  });
  options.signal?.throwIfAborted();
  const cache = new RepositoryCache(settings.cacheDir, parsed.repo);
  const commit = settings.offline
    ? await findInCache(cache, parsed, settings, options)
    : await download(cache, parsed, settings, options);
  return parsed.file === undefined ? cache.snapshot(commit) : cache.file(commit, parsed.file);
}

/** The commit; all files of it that are needed are there. */
async function findInCache(
  cache: RepositoryCache,
  reference: Reference,
  { revision }: Settings,
  { only }: DownloadOptions,
): Promise<string> {
  const commit = await cache.commitOf(revision);
  const name = `the cache (${cache.directory}), and offline (HF_HUB_OFFLINE) nothing is downloaded`;
  check(
    commit !== undefined,
    'NOT_FOUND',
    () => `there is no ${reference.repo} at revision ${revision} in ${name}`,
  );
  const files = await cache.list(commit, directoryOf(reference));
  await neededFiles(reference, only, {
    name,
    files,
    readJson: path => readJson(cache.file(commit, path), 'BAD_CHECKPOINT'),
  });
  return commit;
}

/** The commit, when all files of it that are needed are there. */
async function download(
  cache: RepositoryCache,
  reference: Reference,
  settings: Settings,
  options: DownloadOptions,
): Promise<string> {
  const connection: Connection = {
    ...options,
    revision: settings.revision,
    endpoint: settings.endpoint.url,
    credentials: await credentialsFor(settings, options),
    repo: reference.repo,
  };
  const commit = await resolveRevision(connection);
  const files = await listFiles(connection, commit, directoryOf(reference));
  const known = { ...connection, isKnown: true };
  const place: Place = {
    name: `${reference.repo} at revision ${settings.revision}`,
    files: [...files.keys()],
    readJson: async path => {
      const file = files.get(path)!;
      check(file.size <= LARGEST_JSON, 'BAD_CHECKPOINT', () => {
        return (
          `${path} has ${showBytes(file.size)}; no file of its kind has more than ` +
          `${showBytes(LARGEST_JSON)}`
        );
      });
      await fetchMissing(known, cache, commit, [file]);
      return readJson((await cache.find(commit, file))!, 'BAD_CHECKPOINT');
    },
  };
  const needed = (await neededFiles(reference, options.only, place)).map(path => files.get(path)!);
  await fetchMissing(known, cache, commit, needed, new Tally(options.onProgress));
  // Last, so that a snapshot has all that is needed, and a branch is at a commit that is there.
  for (const file of needed) await cache.link(commit, file);
  await cache.rememberCommit(settings.revision, commit);
  return commit;
}

/** A name and a password in the address come first, then the token. */
async function credentialsFor(
  { endpoint }: Settings,
  { token: given, env = process.env }: DownloadOptions,
): Promise<Credentials | undefined> {
  if (endpoint.authorization !== undefined)
    return { authorization: endpoint.authorization, name: 'the name and password in HF_ENDPOINT' };
  const token = await findToken(given, env);
  return token && { authorization: `Bearer ${token.value}`, name: `the token (${token.from})` };
}

async function fetchMissing(
  connection: Connection,
  cache: RepositoryCache,
  commit: string,
  files: readonly RemoteFile[],
  tally = new Tally(),
): Promise<void> {
  const missing: RemoteFile[] = [];
  for (const file of files) {
    checkFile(file);
    if ((await cache.find(commit, file)) === undefined) missing.push(file);
  }
  if (missing.length === 0) return;
  await checkRoom(cache, missing);
  tally.expect(missing);
  await inParallel(missing, FILES_AT_ONCE, connection.signal, (file, signal) =>
    downloadBlob({ ...connection, signal }, commit, file, cache.blob(file), tally.of(file)),
  );
}

async function checkRoom(cache: RepositoryCache, missing: readonly RemoteFile[]): Promise<void> {
  const directory = dirname(cache.blob(missing[0]));
  await inCache(directory, () => mkdir(directory, { recursive: true }));
  let bytes = 0;
  for (const file of missing) {
    const there = (await sizeOf(incompletePath(cache.blob(file)))) ?? 0;
    bytes += Math.max(0, file.size - there);
  }
  await checkCacheSpace(directory, bytes);
}

/** In the repository: '' is its root. */
const directoryOf = ({ file }: Reference): string =>
  file?.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
