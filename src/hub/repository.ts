/**
 * What there is of a model on the hub: the commit of a revision, and its files. Asked by
 * @huggingface/hub, which knows the addresses, their pages and the answers; through our `request`,
 * which knows where the token may go, what can be tried again, and the codes in headers that
 * HubApiError drops.
 *
 * Downloading is ours (`download.ts`): the library's `downloadFileToCacheDir` (2.17.5) begins anew
 * after an interruption, compares no checksum, cannot be cancelled, and puts each file under the
 * commit that last changed it, where Python does not look.
 */
import { showBytes } from '../base/disk.js';
import { check, LlamaError, show } from '../base/errors.js';
import { encodePath } from '../load/file-path.js';
import { isCommit, type RemoteFile } from './cache.js';
import { type Connection, causeOf, request } from './request.js';
import { retry, Temporary } from './retry.js';

/** A repository may have 100,000 files (huggingface.co/docs/hub/storage-limits). */
const MOST_ENTRIES = 100_000;

/** Pages of a list; each has up to 1,000 entries, and may have none. */
const MOST_QUESTIONS = 1_000;

/** Of one answer. A page of 1,000 files has 400 kB. */
const LONGEST_ANSWER = 32e6;

/** The commit that the connection's revision is. */
export async function resolveRevision(connection: Connection): Promise<string> {
  const { repo: name, revision, endpoint: hubUrl } = connection;
  // Not before: it takes 20 to 40 ms to load, and most runs have no use for it.
  const { modelInfo } = await import('@huggingface/hub');
  const { sha } = await askHub(connection, name, fetch =>
    modelInfo({ name, revision, hubUrl, fetch, additionalFields: ['sha'] }),
  );
  check(
    isCommit(sha),
    'DOWNLOAD_FAILED',
    () => `${hubUrl} says that ${name} is at commit ${show(sha)}, which is none`,
  );
  return sha;
}

/** The files in a directory of the repository, by their paths. */
export async function listFiles(
  connection: Connection,
  commit: string,
  directory: string,
): Promise<ReadonlyMap<string, RemoteFile>> {
  const { repo: name, endpoint: hubUrl } = connection;
  const library = await import('@huggingface/hub');
  const what = directory === '' ? name : directory;
  return askHub(connection, what, async fetch => {
    const files = new Map<string, RemoteFile>();
    let entries = 0;
    const path = encodePath(directory);
    for await (const entry of library.listFiles({
      repo: { type: 'model', name },
      revision: commit,
      path,
      hubUrl,
      fetch,
    })) {
      entries += 1;
      check(entries <= MOST_ENTRIES, 'DOWNLOAD_FAILED', () => {
        return (
          `the list of ${what} has more than ${MOST_ENTRIES} entries and may never end; is ` +
          'HF_ENDPOINT right?'
        );
      });
      if (entry.type !== 'file' || typeof entry.path !== 'string') continue;
      const file = {
        path: entry.path,
        size: entry.lfs?.size ?? entry.size,
        etag: entry.lfs?.oid ?? entry.oid ?? '',
      };
      files.set(file.path, file);
    }
    return files;
  });
}

/** Size and etag come from elsewhere, and the etag becomes the name of a file. */
export function checkFile({ path, size, etag }: RemoteFile): void {
  check(
    /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag) && Number.isSafeInteger(size) && size >= 0,
    'DOWNLOAD_FAILED',
    () =>
      `${path} has size ${show(size)} and etag ${show(etag)}; they must be bytes, and a SHA-1 ` +
      'or SHA-256',
  );
}

/** What the library makes of the answer to a question of its own. */
function askHub<T>(
  connection: Connection,
  what: string,
  ask: (send: typeof fetch) => Promise<T>,
): Promise<T> {
  return retry(connection, async () => {
    let questions = 0;
    const send = async (url: unknown, { headers = {} }: RequestInit = {}) => {
      questions += 1;
      check(questions <= MOST_QUESTIONS, 'DOWNLOAD_FAILED', () => {
        return (
          `the answer about ${what} has more than ${MOST_QUESTIONS} pages and may never end; is ` +
          'HF_ENDPOINT right?'
        );
      });
      const given = headers as Record<string, string>;
      return limitBody(await request(connection, String(url), what, given), what);
    };
    try {
      return await ask(send);
    } catch (error) {
      connection.signal?.throwIfAborted();
      if (error instanceof LlamaError || error instanceof Temporary) throw error;
      // `fetch` has a cause for what happened to the connection; without one the answer came, and
      // is not what the library expects.
      if ((error as Error).cause instanceof Error) {
        throw new Temporary(`the answer about ${what} broke off: ${causeOf(error)}`, {
          cause: error,
        });
      }
      const message =
        `${connection.endpoint} answers about ${what} as no hub does (${causeOf(error)}); is ` +
        'HF_ENDPOINT right?';
      throw new LlamaError('DOWNLOAD_FAILED', message, { cause: error });
    }
  });
}

/** The same response; its body is an error as soon as it is longer than any answer is. */
function limitBody(response: Response, what: string): Response {
  let bytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      check(bytes <= LONGEST_ANSWER, 'DOWNLOAD_FAILED', () => {
        return (
          `the answer about ${what} is longer than ${showBytes(LONGEST_ANSWER)} and may never ` +
          'end; is HF_ENDPOINT right?'
        );
      });
      controller.enqueue(chunk);
    },
  });
  const { status, headers } = response;
  return new Response(response.body?.pipeThrough(counted) ?? null, { status, headers });
}
