/**
 * Files that are often found where a PyTorch checkpoint should be, told apart by how they begin.
 */

import { check, LlamaError, show } from '../../base/errors.js';
import type { ByteSource } from '../source.js';

const ZIP = 'PK\x03\x04';
/**
 * What torch.save wrote first before PyTorch 1.6: its magic number 0x1950a86a20f9469cfc6c, pickled
 * as LONG1 of 10 bytes.
 */
const LEGACY = '\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19';

const OTHERS: readonly (readonly [beginning: RegExp, message: string])[] = [
  [/^version https:\/\/git-lfs/, 'is a pointer of git-lfs, not the file itself; run git lfs pull'],
  [
    /^\s*<(!doctype|html|\?xml)/i,
    'is a web page, not a checkpoint; fetch it again, perhaps with a token',
  ],
  [/^[\t\n\r\x20-\x7e]+$/, 'is text, not a checkpoint; fetch it again'],
  [
    /^/,
    'does not begin as a zip archive, and so as PyTorch 1.6 and later, does; is it a PyTorch ' +
      'checkpoint?',
  ],
];

/**
 * @throws {LlamaError} unless `source` begins as a zip archive does; saying what it is instead, and
 * what to do.
 */
export async function refuseOtherFiles(source: ByteSource): Promise<void> {
  const { name, size } = source;
  check(size > 0, 'BAD_CHECKPOINT', () => `${name} is empty; fetch it again`);
  const bytes = new Uint8Array(Math.min(size, 64));
  await source.readInto(0, bytes);
  const beginning = String.fromCharCode(...bytes); // a character per byte
  if (beginning.startsWith(ZIP)) return;
  check(
    !beginning.startsWith(LEGACY, 2),
    'UNSUPPORTED',
    () =>
      `${name} has the format of PyTorch before 1.6; write it again: torch.save(torch.load(old, ` +
      'weights_only=True), new)',
  );
  const [, message] = OTHERS.find(([pattern]) => pattern.test(beginning))!;
  throw new LlamaError('BAD_CHECKPOINT', `${name} ${message}. It begins with ${show(beginning)}`);
}
