import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFile } from '../../../src/files/file.js';
import { openPytorch } from '../../../src/files/pytorch/pytorch.js';
import type { ByteSource } from '../../../src/files/source.js';
import { zipParts } from '../zip/zip-support.js';
import {
  bytesOf,
  dict,
  filesOf,
  int,
  ints,
  pickleOf,
  storageClass,
  tensor,
  text,
} from './pickle-support.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-large-'));
});
afterAll(() => rm(directory, { recursive: true }));

it('a sparse file of 14 GB: storages beyond and above 4 GiB are read in place', async () => {
  const [rows, columns] = [1_100_000, 4096]; // float16: 9.0 GB
  const storages = [
    { key: '0', numel: 5e9, storage: storageClass('ByteStorage') },
    { key: '1', numel: rows * columns, storage: storageClass('HalfStorage') },
    { key: '2', numel: 3, storage: storageClass('FloatStorage') },
  ];
  const [bytes, matrix, last] = storages.map(spec => ({ ...spec, key: text(spec.key) }));
  const pickle = pickleOf(
    dict(
      ...[text('bytes'), tensor({ ...bytes, size: ints(5e9), stride: ints(1) })],
      ...[
        text('matrix'),
        tensor({ ...matrix, size: ints(rows, columns), stride: ints(columns, 1) }),
      ],
      ...[
        text('last row, turned'),
        tensor({
          ...matrix,
          offset: int((rows - 1) * columns),
          size: ints(2, 2),
          stride: ints(1, 2),
        }),
      ],
      ...[text('last'), tensor({ ...last, size: ints(3), stride: ints(1) })],
    ),
  );
  const small = filesOf(pickle, {});
  const holes = [5e9, rows * columns * 2].map((data, key) => ({
    name: `archive/data/${key}`,
    data,
  }));
  const parts = zipParts([
    ...small,
    ...holes,
    { name: 'archive/data/2', data: bytesOf(Float32Array.of(1, 2, 3)) },
  ]);
  const path = join(directory, 'pytorch_model.bin');
  const handle = await open(path, 'w');
  for (const { offset, bytes } of parts) await handle.write(bytes, 0, bytes.length, offset);
  // What is not zero: in the last row of the matrix, which ends where the next entry's descriptor
  // begins.
  const descriptor = parts.findIndex(({ offset }) => offset > 14e9);
  const end = parts[descriptor].offset;
  await handle.write(
    bytesOf(Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400)),
    0,
    8,
    end - columns * 2,
  );
  await handle.close();

  const source = await openFile(path);
  expect(source.size).toBeGreaterThan(14e9);
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
  const { tensors, close } = await openPytorch(counting);
  expect(bytesRead).toBeLessThan(100_000);
  expect(tensors.get('bytes')!.byteLength).toBe(5e9);
  expect(await tensors.get('bytes')!.readBytes(5e9 - 3, 3)).toEqual(new Uint8Array(3));
  const row = await tensors.get('matrix')!.read(rows - 1, 1);
  expect([row.length, ...row.slice(0, 5)]).toEqual([columns, 1, 2, 3, 4, 0]);
  expect(await tensors.get('last row, turned')!.read()).toEqual(Float32Array.of(1, 3, 2, 4));
  expect(await tensors.get('last')!.read()).toEqual(Float32Array.of(1, 2, 3));
  expect(bytesRead).toBeLessThan(120_000);
  await close();
});
