/** `Authorization: Bearer KEY`. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError } from '../errors/api-error.js';

/** Refuses whoever does not say one of `keys`; without any, everybody is welcome. */
export class ApiKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  /** @throws {ApiError} 401 */
  check(headers: Headers): void {
    if (this.#digests.length === 0) return;
    const [, key] = /^Bearer +(.+)$/i.exec(headers.get('authorization') ?? '') ?? [];
    if (key !== undefined && this.#has(key)) return;
    const what =
      key === undefined ? 'there is no API key' : 'this is not an API key of this server';
    throw new ApiError(401, 'invalid_api_key', `${what}; send Authorization: Bearer KEY`, {
      headers: { 'www-authenticate': 'Bearer' },
    });
  }

  /** In a time that says nothing about how much of a key is right, nor which one it is. */
  #has(key: string): boolean {
    const given = digest(key);
    let found = false;
    for (const known of this.#digests) found = timingSafeEqual(given, known) || found;
    return found;
  }
}

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
