import type { FileHandle } from 'node:fs/promises';
import { check, show } from '../base/errors.js';
import type { RemoteFile } from './cache.js';
import { inCache } from './cache-disk.js';
import { type Connection, causeOf, request } from './request.js';
import { Temporary } from './retry.js';

/** A file of which the first bytes are on the disk, and the rest at `url`. */
export class Part {
  readonly #connection: Connection;
  readonly #url: string;
  readonly #file: RemoteFile;
  readonly #disk: { readonly path: string; readonly handle: FileHandle };
  readonly #onBytes: (there: number) => void;
  /** How many bytes are there. */
  #end = 0;
  /** How many ever were: a server that sends the beginning again and again makes no progress. */
  #most = 0;

  constructor(
    connection: Connection,
    url: string,
    file: RemoteFile,
    disk: { readonly path: string; readonly handle: FileHandle },
    onBytes: (there: number) => void,
  ) {
    this.#connection = connection;
    this.#url = url;
    this.#file = file;
    this.#disk = disk;
    this.#onBytes = onBytes;
  }

  /**
   * Gets what is missing. Throws `Temporary` if the connection breaks, and can then be called
   * again.
   */
  async fetchRest(): Promise<void> {
    const { path, size } = this.#file;
    const { size: there } = await this.#inCache(handle => handle.stat());
    if (there <= size) this.#end = there;
    else await this.#keep(0); // nobody knows what that is
    this.#onBytes(this.#end);
    if (this.#end === size) return;
    const range = this.#end > 0 ? { range: `bytes=${this.#end}-` } : undefined;
    await this.#append(await request(this.#connection, this.#url, path, range));
  }

  async #append(response: Response): Promise<void> {
    const { path, size } = this.#file;
    if (response.status === 206) this.#checkRange(response.headers.get('content-range'));
    else if (this.#end > 0) await this.#keep(0); // the server knows no ranges, and sends everything
    for await (const bytes of this.#readBody(response)) {
      check(this.#end + bytes.length <= size, 'DOWNLOAD_FAILED', () => {
        return (
          `${path}: more comes than the ${size} bytes that were announced; is something between ` +
          'here and the hub?'
        );
      });
      await this.#write(bytes);
      this.#onBytes(this.#end);
    }
    if (this.#end < size) throw this.#brokenAt('it ended');
  }

  #checkRange(range: string | null): void {
    const { path, size } = this.#file;
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range ?? '') ?? [];
    const isRight = Number(start) === this.#end && (total === '*' || Number(total) === size);
    check(isRight, 'DOWNLOAD_FAILED', () => {
      return `${path}: asked for bytes ${this.#end} to ${size}, the server sends ${show(range)}`;
    });
  }

  /** The bytes of the body, piece by piece. What fails here is the connection, and nothing else. */
  async *#readBody({ body }: Response): AsyncGenerator<Uint8Array> {
    try {
      yield* body ?? [];
    } catch (error) {
      this.#connection.signal?.throwIfAborted();
      throw this.#brokenAt(causeOf(error));
    }
  }

  #brokenAt(why: string): Temporary {
    const progressed = this.#end > this.#most;
    this.#most = Math.max(this.#most, this.#end);
    const { path, size } = this.#file;
    return new Temporary(`${path}: the connection broke at byte ${this.#end} of ${size}: ${why}`, {
      progressed,
    });
  }

  async #keep(bytes: number): Promise<void> {
    await this.#inCache(handle => handle.truncate(bytes));
    this.#end = bytes;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      const { bytesWritten } = await this.#inCache(handle =>
        handle.write(rest, 0, rest.length, this.#end),
      );
      this.#end += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  }

  #inCache<T>(act: (handle: FileHandle) => Promise<T>): Promise<T> {
    return inCache(this.#disk.path, () => act(this.#disk.handle));
  }
}
