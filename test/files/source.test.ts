import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFile, readWholeFile } from '../../src/files/file.js';
import { openSafetensors } from '../../src/files/safetensors/safetensors.js';
import { type ByteSource, memorySource } from '../../src/files/source.js';
import { expectRefused, fileOf } from './helpers.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-source-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(source: ByteSource, offset: number, length: number): Promise<number[]> {
  const target = new Uint8Array(length);
  await source.readInto(offset, target);
  return [...target];
}

describe.each<[string, (bytes: Uint8Array) => Promise<ByteSource>]>([
  ['memory', async bytes => memorySource(bytes)],
  [
    'a file',
    async bytes => {
      const path = join(directory, 'bytes');
      await writeFile(path, bytes);
      return openFile(path);
    },
  ],
])('%s', (_, sourceOf) => {
  it('gives the bytes that were asked for', async () => {
    const source = await sourceOf(Uint8Array.of(1, 2, 3, 4, 5));
    expect(source.size).toBe(5);
    expect(await read(source, 0, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(await read(source, 3, 1)).toEqual([4]);
    expect(await read(source, 5, 0)).toEqual([]);
    await source.close();
  });

  it('refuses what it does not have', async () => {
    const source = await sourceOf(Uint8Array.of(1, 2, 3));
    for (const [offset, length] of [
      [0, 4],
      [3, 1],
      [-1, 1],
      [4, 0],
      [0.5, 1],
      [2 ** 53, 1],
      [NaN, 1],
    ] as const) {
      await expectRefused(
        read(source, offset, length),
        'BAD_CHECKPOINT',
        String(offset),
        'it has 3',
      );
    }
    await source.close();
  });
});

describe('openFile', () => {
  it('follows symbolic links, as the hub cache makes them', async () => {
    await mkdir(join(directory, 'blobs'));
    await writeFile(join(directory, 'blobs', 'a1b2'), 'abc');
    await symlink(join('blobs', 'a1b2'), join(directory, 'linked'));
    const source = await openFile(join(directory, 'linked'));
    expect(await read(source, 1, 2)).toEqual([98, 99]);
    await source.close();
  });

  it('says what is wrong with a path', async () => {
    await expectRefused(openFile(join(directory, 'missing')), 'NOT_FOUND', 'missing', 'ENOENT');
    await expectRefused(
      openFile(directory),
      'NOT_FOUND',
      directory,
      'it is a directory, not a file',
    );
    await expectRefused(
      readWholeFile(join(directory, 'missing')),
      'NOT_FOUND',
      'missing',
      'ENOENT',
    );
    await expectRefused(
      readWholeFile(directory),
      'NOT_FOUND',
      directory,
      'it is a directory, not a file',
    );
  });

  it.skipIf(process.platform === 'win32')(
    'does not wait for a pipe, nor read a device without end',
    async () => {
      const pipe = join(directory, 'pipe');
      execFileSync('mkfifo', [pipe]);
      for (const path of [pipe, '/dev/zero']) {
        await expectRefused(openFile(path), 'NOT_FOUND', path, 'a pipe or a device, not a file');
        await expectRefused(
          readWholeFile(path),
          'NOT_FOUND',
          path,
          'a pipe or a device, not a file',
        );
      }
    },
  );

  it('notices that the file became shorter', async () => {
    const path = join(directory, 'shrinking');
    await writeFile(path, 'abcdef');
    const source = await openFile(path);
    await truncate(path, 4);
    await expectRefused(read(source, 2, 4), 'BAD_CHECKPOINT', path, 'byte 4', '6');
    await source.close();
  });

  it('cannot be read after it was closed, and may be closed twice', async () => {
    const path = join(directory, 'closed');
    await writeFile(path, 'abc');
    const source = await openFile(path);
    await source.close();
    await source.close();
    await expectRefused(read(source, 0, 1), 'DISPOSED', path);
  });
});

it('a file is read straight into shared memory, also beyond 2 GiB of it', async () => {
  const path = join(directory, 'shared');
  await writeFile(path, 'abcdef');
  const source = await openFile(path);
  // Not touched but for one page, so it takes no memory.
  const memory = new WebAssembly.Memory({ initial: 3 * 2 ** 14, maximum: 65_536, shared: true });
  const at = 3 * 2 ** 30 - 7;
  await source.readInto(2, new Uint8Array(memory.buffer, at, 4));
  expect([...new Uint8Array(memory.buffer, at - 1, 6)]).toEqual([0, 99, 100, 101, 102, 0]);
  await source.close();
});

it('a sparse file of 20 GB opens by its header; its last row is beyond 4 GiB', async () => {
  const rows = 20_000_000;
  const size = rows * 1000;
  const header = fileOf({
    big: { dtype: 'F16', shape: [rows, 500], data_offsets: [0, size] },
    last: { dtype: 'F32', shape: [2], data_offsets: [size, size + 8] },
  });
  const path = join(directory, 'sparse.safetensors');
  const handle = await open(path, 'w');
  await handle.write(header);
  await handle.truncate(header.length + size + 8);
  await handle.write(new Uint8Array(Float32Array.of(7, -7).buffer), 0, 8, header.length + size);
  await handle.write(
    new Uint8Array(Uint16Array.of(0x3c00).buffer),
    0,
    2,
    header.length + size - 1000,
  );
  await handle.close();

  const before = process.memoryUsage().rss;
  const began = performance.now();
  const source = await openFile(path);
  let bytesRead = 0;
  const counting: ByteSource = {
    name: source.name,
    size: source.size,
    readInto: (offset, target) => {
      bytesRead += target.length;
      return source.readInto(offset, target);
    },
    close: () => source.close(),
  };
  const file = await openSafetensors(counting);
  expect(bytesRead).toBe(header.length);

  expect(await file.tensors.get('last')!.read()).toEqual(Float32Array.of(7, -7));
  const row = await file.tensors.get('big')!.read(rows - 1, 1);
  expect(row).toHaveLength(500);
  expect([row[0], row[1]]).toEqual([1, 0]);
  expect(bytesRead).toBe(header.length + 8 + 1000);
  expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  // it takes 10 ms; to read all of the file takes seconds
  expect(performance.now() - began).toBeLessThan(1000);
  await file.close();
});
