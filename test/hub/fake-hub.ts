/**
 * A hub on this machine: what of huggingface.co a download sees, with a second server for large
 * files, to which it redirects, and with every mishap that is ordered.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodePath } from '../../src/load/file-path.js';

export interface Mishap {
  /** Another answer. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Others than the bytes of the file; their number is not told before. */
  readonly bytes?: Buffer;
  /** After so many bytes of the answer the connection ends. */
  readonly cutAfter?: number;
  /** After so many bytes the answer ends, as if it were all of it. */
  readonly endAfter?: number;
  /** After so many bytes nothing comes any more. */
  readonly stallAfter?: number;
  readonly ignoresRange?: boolean;
  readonly contentRange?: string;
}

export interface Asked {
  readonly server: 'hub' | 'storage';
  readonly url: string;
  readonly token: string | undefined;
  readonly range: string | undefined;
  readonly encoding: string | undefined;
  /** Bytes of a file that were sent. */
  sent: number;
}

interface Ordered {
  readonly url: RegExp;
  readonly mishap: Mishap;
  times: number;
}

export const REPO = 'owner/name';
export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** What git calls a file of this content. */
export const gitName = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

export const sha256 = (content: Buffer): string =>
  createHash('sha256').update(content).digest('hex');

const isLarge = (path: string) => /\.(safetensors|bin|gguf|model)$/.test(path);

export class FakeHub implements AsyncDisposable {
  readonly files = new Map<string, Buffer>();
  readonly asked: Asked[] = [];
  commit = COMMIT;
  revisions: string[] = ['main'];
  /** Files in one answer to the question for all of them. */
  pageSize = 1000;
  /** Requests of which the answer has not come to its end. */
  answering = 0;
  /** Changes the list of files. */
  tamper: (entries: Record<string, unknown>[]) => unknown = entries => entries;
  readonly #ordered: Ordered[] = [];
  readonly #hub = createServer((request, response) => this.#answer('hub', request, response));
  readonly #storage = createServer((request, response) =>
    this.#answer('storage', request, response),
  );

  static async start(files: Readonly<Record<string, Buffer | string>> = {}): Promise<FakeHub> {
    const hub = new FakeHub();
    for (const [path, content] of Object.entries(files)) hub.files.set(path, Buffer.from(content));
    for (const server of [hub.#hub, hub.#storage]) {
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    }
    return hub;
  }

  get endpoint(): string {
    return originOf(this.#hub);
  }

  get storage(): string {
    return originOf(this.#storage);
  }

  /** The next `times` requests for a URL like this fare so. */
  order(url: RegExp, mishap: Mishap, times = 1): void {
    this.#ordered.push({ url, mishap, times });
  }

  /** Bytes that were sent of the file. */
  sent(path: string): number {
    return this.asked
      .filter(({ url }) => url.endsWith(`/${path}`))
      .reduce((sum, { sent }) => sum + sent, 0);
  }

  /** Requests for files, without those that were redirected. */
  downloads(path?: string): Asked[] {
    return this.asked.filter(({ url, server }) => {
      const isFile = server === 'storage' || (url.includes('/resolve/') && !isLarge(url));
      return isFile && (path === undefined || url.endsWith(`/${path}`));
    });
  }

  etag(path: string): string {
    const content = this.files.get(path)!;
    return isLarge(path) ? sha256(content) : gitName(content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#hub, this.#storage]) {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  }

  #answer(server: Asked['server'], request: IncomingMessage, response: ServerResponse): void {
    const url = decodeURIComponent(request.url!.split('?')[0]);
    const { authorization, range, 'accept-encoding': encoding } = request.headers;
    const asked = {
      server,
      url,
      token: authorization?.replace('Bearer ', ''),
      range,
      encoding,
      sent: 0,
    };
    this.asked.push(asked);
    this.answering += 1;
    response.on('close', () => {
      this.answering -= 1;
    });
    const mishap = this.#mishapFor(`${server} ${url}`);
    if (mishap?.status !== undefined) {
      response.writeHead(mishap.status, mishap.headers).end(mishap.body);
    } else if (url.startsWith('/api/models/')) this.#tell(url, request, response, mishap);
    else this.#give(asked, response, mishap);
  }

  #mishapFor(url: string): Mishap | undefined {
    const ordered = this.#ordered.find(each => each.times > 0 && each.url.test(url));
    if (ordered !== undefined) ordered.times -= 1;
    return ordered?.mishap;
  }

  /** Of the model: the commit of a revision, or the files of a directory. */
  #tell(
    url: string,
    request: IncomingMessage,
    response: ServerResponse,
    mishap: Mishap | undefined,
  ): void {
    const [, repo, question, rest] =
      /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/(.*)$/.exec(url) ?? [];
    if (repo !== REPO) {
      refuse(response, 'RepoNotFound');
      return;
    }
    if (question === 'revision') {
      if (![...this.revisions, this.commit].includes(rest)) {
        refuse(response, 'RevisionNotFound');
        return;
      }
      send(response, Buffer.from(JSON.stringify({ _id: '1', id: repo, sha: this.commit })), mishap);
      return;
    }
    const directory = rest.slice(this.commit.length + 1);
    const entries = this.#list(directory);
    if (!rest.startsWith(this.commit) || entries.length === 0) {
      refuse(response, 'EntryNotFound');
      return;
    }
    const start = Number(new URL(request.url!, this.endpoint).searchParams.get('cursor') ?? 0);
    const end = start + this.pageSize;
    if (end < entries.length) {
      response.setHeader(
        'link',
        `<${this.endpoint}${request.url!.split('?')[0]}?cursor=${end}>; rel="next"`,
      );
    }
    send(response, Buffer.from(JSON.stringify(this.tamper(entries.slice(start, end)))), mishap);
  }

  #list(directory: string): Record<string, unknown>[] {
    const prefix = directory === '' ? '' : `${directory}/`;
    const entries = new Map<string, Record<string, unknown>>();
    for (const [path, content] of this.files) {
      if (!path.startsWith(prefix)) continue;
      const [name, ...below] = path.slice(prefix.length).split('/');
      const isDirectory = below.length > 0;
      const size = isDirectory ? 0 : content.length;
      const lfs = { oid: sha256(content), size, pointerSize: 134 };
      entries.set(name, {
        type: isDirectory ? 'directory' : 'file',
        // of large files that of the pointer, which is no checksum of anything here
        oid: gitName(content),
        size,
        path: prefix + name,
        ...(isLarge(path) && !isDirectory && { lfs, xetHash: 'f'.repeat(64) }),
      });
    }
    return [...entries.values()];
  }

  /**
   * A file: by the hub itself if it is small; large ones by the storage, by an address that it does
   * not give twice.
   */
  #give(asked: Asked, response: ServerResponse, mishap: Mishap | undefined): void {
    const [, commit, path] = /\/resolve\/([^/]+)\/(.*)$/.exec(asked.url)!;
    const content = this.files.get(path);
    if (content === undefined || ![...this.revisions, this.commit].includes(commit)) {
      refuse(response, 'EntryNotFound');
      return;
    }
    response.setHeader('accept-ranges', 'bytes');
    response.setHeader('etag', `"${asked.server === 'hub' ? gitName(content) : sha256(content)}"`);
    if (asked.server === 'hub') {
      response.setHeader('x-repo-commit', this.commit);
      if (isLarge(path)) {
        const headers = {
          'x-linked-etag': `"${sha256(content)}"`,
          'x-linked-size': content.length,
        };
        response
          .writeHead(302, { ...headers, location: `${this.storage}${encodePath(asked.url)}` })
          .end();
        return;
      }
    }
    const start = Number(/^bytes=(\d+)-$/.exec(asked.range ?? '')?.[1] ?? -1);
    const isPart = start >= 0 && !mishap?.ignoresRange;
    if (isPart) {
      response.statusCode = 206;
      response.setHeader(
        'content-range',
        mishap?.contentRange ?? `bytes ${start}-${content.length - 1}/${content.length}`,
      );
    }
    const bytes = isPart ? content.subarray(start) : content;
    asked.sent = send(response, bytes, mishap);
  }
}

/** How many bytes. */
function send(response: ServerResponse, content: Buffer, mishap: Mishap = {}): number {
  const { bytes = content, cutAfter, endAfter, stallAfter } = mishap;
  if (mishap.bytes === undefined && endAfter === undefined)
    response.setHeader('content-length', bytes.length);
  const end = Math.min(cutAfter ?? endAfter ?? stallAfter ?? bytes.length, bytes.length);
  const finish = () => {
    if (cutAfter !== undefined) response.destroy();
    else if (stallAfter === undefined) response.end();
  };
  response.flushHeaders();
  if (end === 0) finish();
  else response.write(bytes.subarray(0, end), finish);
  return end;
}

function refuse(response: ServerResponse, code: string): void {
  response
    .writeHead(404, { 'x-error-code': code, 'content-type': 'application/json' })
    .end('{"error":"not found"}');
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
