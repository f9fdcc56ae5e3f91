/**
 * By what pages are found on a disk: a page's key is the SHA-256 of the key before it and of its 64
 * tokens, and before the first one it is that of the model and the salt. So a key says all that
 * decides what the keys and values of its page are, and two texts have the same keys for as long as
 * they have the same tokens.
 */
import { createHash } from 'node:crypto';
import { PAGE_POSITIONS } from '../../model/sequence.js';

/** Of nothing yet, under `salt`. `identity` says all that decides the bytes, but for the tokens. */
export function rootKey(identity: string, salt: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([identity, salt]))
    .digest();
}

/** Those of the whole pages of `tokens`, which come after `before`; that is the first of them. */
export function keysOf(before: Uint8Array, tokens: readonly number[]): Uint8Array[] {
  const keys = [before];
  for (let end = PAGE_POSITIONS; end <= tokens.length; end += PAGE_POSITIONS) {
    const page = tokenBytes(tokens.slice(end - PAGE_POSITIONS, end));
    keys.push(createHash('sha256').update(keys.at(-1)!).update(page).digest());
  }
  return keys;
}

/** 32 bits each, little-endian. */
export function tokenBytes(tokens: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * tokens.length);
  const view = new DataView(bytes.buffer);
  for (const [i, token] of tokens.entries()) view.setUint32(4 * i, token, true);
  return bytes;
}
