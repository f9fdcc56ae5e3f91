/** What tells a file from others: every way to change one that this machine has. */
import {
  appendFile,
  type FileHandle,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openFile } from '../../src/files/file.js';
import { identifyFile } from '../../src/files/file-identity.js';
import { openModelFiles } from '../../src/load/model-files.js';
import { goldenPath } from '../support/golden.js';

let directory: string;
const at = (name: string) => join(directory, name);
const now = Date.now;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-identity-'));
  vi.spyOn(Date, 'now').mockImplementation(() => now() + 10_000); // all files are settled
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

async function identityOf(path: string): Promise<string | undefined> {
  const source = await openFile(path);
  const identity = await source.identify!();
  await source.close();
  return identity;
}

/** Seconds: a time that programs set. */
const OLD = 1_600_000_000;

/** A clock of 4 ms or less must have moved on. */
const tick = () => new Promise(resolve => setTimeout(resolve, 20));

describe('stays', () => {
  it('when it is asked again, by a link, and in a folder that was renamed', async () => {
    await mkdir(at('a'));
    await writeFile(at('a/file'), 'one');
    await symlink(at('a/file'), at('link'));
    const identity = await identityOf(at('a/file'));
    expect(identity).toMatch(/^[0-9a-f]{64}$/);
    expect(await identityOf(at('link'))).toBe(identity);
    await rename(at('a'), at('b'));
    expect(await identityOf(at('b/file'))).toBe(identity);
  });
});

describe('changes', () => {
  it.each<[string, () => Promise<void>]>([
    ['by other bytes', () => writeFile(at('file'), 'two')],
    ['by more bytes', () => appendFile(at('file'), '.')],
    ['by the same bytes, written again', () => writeFile(at('file'), 'one')],
    [
      'by the same bytes, written again, and mtime set back',
      async () => {
        await writeFile(at('file'), 'one');
        await utimes(at('file'), OLD, OLD);
      },
    ],
    [
      'by another file under the same name, as old and with the same bytes',
      async () => {
        await writeFile(at('other'), 'one');
        await utimes(at('other'), OLD, OLD);
        await rename(at('other'), at('file'));
      },
    ],
  ])('%s', async (_, change) => {
    await writeFile(at('file'), 'one');
    await utimes(at('file'), OLD, OLD);
    const before = await identityOf(at('file'));
    await tick();
    await change();
    expect(await identityOf(at('file'))).not.toBe(before);
  });
});

it('is that of the file that was opened, not of the one that has its name now', async () => {
  await writeFile(at('file'), 'one');
  const source = await openFile(at('file'));
  await writeFile(at('other'), 'two');
  await rename(at('other'), at('file'));
  expect(await source.identify!()).not.toBe(await identityOf(at('file')));
  await source.close();
});

it('is not told of a file that was written just now', async () => {
  vi.restoreAllMocks();
  await writeFile(at('file'), 'one');
  expect(await identityOf(at('file'))).toBeUndefined();
});

describe('of bytes that changed and times that did not', () => {
  const SIZE = 5 * 2 ** 20 + 3;

  /** A file system without times. */
  function handleOf(bytes: Uint8Array, ino = 1n): FileHandle {
    return {
      stat: async () => ({ ino, size: BigInt(bytes.length), mtimeNs: 1n, ctimeNs: 1n }),
      read: async (buffer: Uint8Array, _: number, length: number, offset: number) => {
        const part = bytes.subarray(offset, offset + length);
        buffer.set(part);
        return { buffer, bytesRead: part.length };
      },
    } as unknown as FileHandle;
  }

  it('sees another inode', async () => {
    const bytes = new Uint8Array(SIZE);
    expect(await identifyFile(handleOf(bytes, 2n))).not.toBe(await identifyFile(handleOf(bytes)));
  });

  it.each([0, 2 ** 20 - 1, SIZE - 1])('sees byte %i', async at => {
    const before = await identifyFile(handleOf(new Uint8Array(SIZE)));
    const after = await identifyFile(handleOf(new Uint8Array(SIZE).fill(1, at, at + 1)));
    expect(after).not.toBe(before);
  });

  it('sees any stretch of a 32nd of the file', async () => {
    const before = await identifyFile(handleOf(new Uint8Array(SIZE)));
    for (let i = 0; i < 32; i++) {
      const [from, to] = [Math.floor((SIZE * i) / 32), Math.ceil((SIZE * (i + 1)) / 32)];
      const after = await identifyFile(handleOf(new Uint8Array(SIZE).fill(1, from, to)));
      expect(after).not.toBe(before);
    }
  });
});

it.each([
  'gqa',
  'tied',
  'pytorch/long',
  'pytorch/mha',
  'gguf/long-blocks.gguf',
  'gguf/tied-bf16-00001-of-00002.gguf',
])('golden/%s is identified: every weight file once', async name => {
  const files = { tied: 2, 'pytorch/mha': 2, 'gguf/tied-bf16-00001-of-00002.gguf': 2 };
  const { checkpoint } = await openModelFiles(goldenPath(name));
  const identities = (await checkpoint.identify!())!.split(' ');
  await checkpoint.close();
  expect(new Set(identities).size).toBe(files[name as keyof typeof files] ?? 1);
});
