/**
 * What PyTorch itself wrote (reference/make_pytorch.py), against the same tensors in safetensors
 * files.
 */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExactEngine } from '../../../src/engines/exact/exact-engine.js';
import { openFile } from '../../../src/files/file.js';
import { openPytorch } from '../../../src/files/pytorch/pytorch.js';
import {
  encode,
  openSafetensors,
  writeSafetensors,
} from '../../../src/files/safetensors/safetensors.js';
import { openModelDirectory } from '../../../src/load/model-files.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { Llama } from '../../../src/model/llama.js';
import { EMBEDDING, LM_HEAD } from '../../../src/model/weights.js';
import { allLogits, goldenPath } from '../../support/golden.js';
import { expectRefused } from '../helpers.js';

const openGoldenFile = async (name: string) =>
  openPytorch(await openFile(goldenPath(`pytorch/views/${name}`)));

async function logitsOf(directory: string): Promise<Uint8Array> {
  const { config, checkpoint } = await openModelDirectory(directory);
  const model = new Llama(config, new ExactEngine(config, checkpoint, { numerics: 'f32' }));
  const logits = await allLogits(model, [1, 17, 300, 5]);
  await model.close();
  return new Uint8Array(logits.buffer);
}

describe.each(['protocol2.bin', 'protocol4.bin'])('views/%s', file => {
  let views: Checkpoint;
  let copies: Checkpoint;
  beforeAll(async () => {
    views = await openGoldenFile(file);
    copies = await openSafetensors(
      await openFile(goldenPath('pytorch/views/contiguous.safetensors')),
    );
  });
  afterAll(async () => {
    await views.close();
    await copies.close();
  });

  it('has the tensors of contiguous.safetensors: names, dtypes, shapes, sizes', () => {
    const describeAll = ({ tensors }: Checkpoint) =>
      [...tensors.values()]
        .map(({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, byteLength }))
        .sort(byName);
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(describeAll(views)).toEqual(describeAll(copies));
    expect(views.tensors.size).toBe(49);
  });

  it('has their bytes, all rows at once, one by one, and some', async () => {
    for (const [name, copy] of copies.tensors) {
      const tensor = views.tensors.get(name)!;
      const rows = copy.shape[0] ?? 1;
      const ranges = [
        [0, rows],
        [rows, 0],
        [Math.floor(rows / 3), Math.ceil(rows / 3)],
        ...Array.from({ length: rows }, (_, i) => [i, 1]),
      ];
      expect(await tensor.readBytes(), name).toEqual(await copy.readBytes());
      for (const [first, count] of ranges) {
        expect(await tensor.readBytes(first, count), `${name} ${first} ${count}`).toEqual(
          await copy.readBytes(first, count),
        );
      }
    }
  });

  it('has their numbers, where they are floating point', async () => {
    let floats = 0;
    for (const [name, copy] of copies.tensors) {
      const tensor = views.tensors.get(name)!;
      if (['F64', 'F32', 'F16', 'BF16'].includes(copy.dtype)) {
        expect(await tensor.read(), name).toEqual(await copy.read());
        floats++;
      } else
        await expectRefused(tensor.read(), 'UNSUPPORTED', file, JSON.stringify(name), copy.dtype);
    }
    expect(floats).toBe(28);
  });
});

it('views/legacy.bin, of before PyTorch 1.6, is refused by name', async () => {
  await expectRefused(
    openGoldenFile('legacy.bin'),
    'UNSUPPORTED',
    'legacy.bin',
    'PyTorch before 1.6',
    'torch.save(torch.load(',
  );
});

describe('tied/: one file, bfloat16', () => {
  it('has the bytes of the safetensors shards; the head shares the embedding’s', async () => {
    const file = await openFile(goldenPath('pytorch/tied/pytorch_model.bin'));
    const checkpoint = await openPytorch(file);
    const twin = (await openModelDirectory(goldenPath('tied'))).checkpoint;
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...twin.tensors.keys(), LM_HEAD].sort());
    for (const [name, tensor] of checkpoint.tensors) {
      const original = twin.tensors.get(name === LM_HEAD ? EMBEDDING : name)!;
      expect(tensor, name).toMatchObject({ dtype: original.dtype, shape: original.shape });
      expect(await tensor.readBytes(), name).toEqual(await original.readBytes());
    }
    await checkpoint.close();
    await twin.close();
  });

  it('gives the logits of the safetensors shards, bit for bit', async () => {
    expect(await logitsOf(goldenPath('pytorch/tied'))).toEqual(await logitsOf(goldenPath('tied')));
  });
});

describe('long/: one file, float32', () => {
  it('has the bytes of the safetensors file', async () => {
    const { checkpoint } = await openModelDirectory(goldenPath('pytorch/long'));
    const twin = (await openModelDirectory(goldenPath('long'))).checkpoint;
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...twin.tensors.keys()].sort());
    for (const [name, original] of twin.tensors) {
      expect(await checkpoint.tensors.get(name)!.readBytes(), name).toEqual(
        await original.readBytes(),
      );
    }
    await checkpoint.close();
    await twin.close();
  });

  it('gives its logits, bit for bit', async () => {
    expect(await logitsOf(goldenPath('pytorch/long'))).toEqual(await logitsOf(goldenPath('long')));
  });
});

describe('mha/: two files and an index, float16, with rounded frequencies', () => {
  let twin: string;
  beforeAll(async () => {
    twin = await mkdtemp(join(tmpdir(), 'llama-32k-pytorch-'));
    await cp(goldenPath('mha/config.json'), join(twin, 'config.json'));
    const original = (await openModelDirectory(goldenPath('mha'))).checkpoint;
    const rounded = await Promise.all(
      [...original.tensors.values()].map(async ({ name, shape, read }, i) => ({
        name,
        dtype: 'F16' as const,
        shape,
        chunks: [encode('F16', await read.call([...original.tensors.values()][i]))],
      })),
    );
    await original.close();
    await writeFile(join(twin, 'model.safetensors'), writeSafetensors(rounded));
  });
  afterAll(() => rm(twin, { recursive: true }));

  it('has the bytes of the float32 model rounded to float16', async () => {
    const { checkpoint } = await openModelDirectory(goldenPath('pytorch/mha'));
    const original = (await openModelDirectory(twin)).checkpoint;
    const names = [...checkpoint.tensors.keys()];
    expect(names.sort()).toEqual([...original.tensors.keys()].sort());
    for (const [name, tensor] of original.tensors) {
      expect(await checkpoint.tensors.get(name)!.readBytes(), name).toEqual(
        await tensor.readBytes(),
      );
    }
    await checkpoint.close();
    await original.close();
  });

  it('gives its logits, bit for bit: the stored frequencies are not used', async () => {
    expect(await logitsOf(goldenPath('pytorch/mha'))).toEqual(await logitsOf(twin));
  });

  const OPEN_FILES = '/proc/self/fd';
  it.skipIf(!existsSync(OPEN_FILES))('keeps each file open once, and closes it', async () => {
    const openFiles = async () => {
      const links = (await readdir(OPEN_FILES)).map(fd =>
        readlink(join(OPEN_FILES, fd)).catch(() => ''),
      );
      return (await Promise.all(links)).filter(path => path.startsWith(goldenPath('pytorch')));
    };
    const { checkpoint } = await openModelDirectory(goldenPath('pytorch/mha'));
    for (const tensor of checkpoint.tensors.values()) await tensor.readBytes();
    expect((await openFiles()).sort()).toEqual(
      [1, 2].map(i => goldenPath(`pytorch/mha/pytorch_model-0000${i}-of-00002.bin`)),
    );
    await checkpoint.close();
    expect(await openFiles()).toEqual([]);
  });

  it('a shard that is cut off anywhere is refused', async () => {
    const whole = await readFile(goldenPath('pytorch/mha/pytorch_model-00002-of-00002.bin'));
    const path = join(twin, 'cut.bin');
    for (const length of [
      0,
      1,
      3,
      4,
      33,
      127,
      260,
      4096,
      65536,
      100_000,
      whole.length - 100,
      whole.length - 1,
    ]) {
      await writeFile(path, whole.subarray(0, length));
      await expectRefused(openPytorch(await openFile(path)), 'BAD_CHECKPOINT', path);
    }
  });
});
