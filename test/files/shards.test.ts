import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../src/base/errors.js';
import { openSafetensors } from '../../src/files/safetensors/safetensors.js';
import { openShards, parseWeightMap } from '../../src/files/shards.js';
import { expectRefused, fileOf, watched } from './helpers.js';

const ONE = 'model-00001-of-00002.safetensors';
const TWO = 'model-00002-of-00002.safetensors';

/** A file with one F32 number under each name: 0, 1, 2 … from `start` on. */
function shardOf(names: string[], start: number): Uint8Array {
  const header = Object.fromEntries(
    names.map((name, i) => [name, { dtype: 'F32', shape: [1], data_offsets: [4 * i, 4 * i + 4] }]),
  );
  return fileOf(header, new Uint8Array(Float32Array.from(names, (_, i) => start + i).buffer));
}

function openFrom(files: Record<string, Uint8Array>, index: unknown) {
  const opened: ReturnType<typeof watched>[] = [];
  const openShard = async (fileName: string) => {
    if (!Object.hasOwn(files, fileName)) throw new LlamaError('NOT_FOUND', `no ${fileName}`);
    const source = watched(files[fileName]!, fileName);
    opened.push(source);
    return openSafetensors(source);
  };
  const open = async () =>
    openShards(parseWeightMap(index, 'the index', '.safetensors'), 'the index', openShard);
  return { promise: open(), opened };
}

const FILES = { [ONE]: shardOf(['a', 'b'], 10), [TWO]: shardOf(['c'], 20) };
const WEIGHT_MAP = { c: TWO, a: ONE, b: ONE };

it('gives the tensors of all shards, opening each file once', async () => {
  const { promise, opened } = openFrom(FILES, {
    metadata: { total_size: 12 },
    weight_map: WEIGHT_MAP,
  });
  const checkpoint = await promise;
  expect(checkpoint.name).toBe('the index');
  expect([...checkpoint.tensors.keys()]).toEqual(['c', 'a', 'b']);
  expect(await checkpoint.tensors.get('b')!.read()).toEqual(Float32Array.of(11));
  expect(await checkpoint.tensors.get('c')!.read()).toEqual(Float32Array.of(20));
  expect(opened.map(source => source.name)).toEqual([TWO, ONE]);
  await checkpoint.close();
  expect(opened.map(source => source.closed)).toEqual([1, 1]);
});

it.each([undefined, 0, 1e15, 'many', null])('does not look at total_size %j', async total_size => {
  await openFrom(FILES, { metadata: { total_size }, weight_map: WEIGHT_MAP }).promise;
});

describe('refuses, and leaves no file open:', () => {
  it.each<[string, object, Record<string, Uint8Array>, string[]]>([
    ['a tensor the index does not list', { a: ONE, c: TWO }, FILES, [ONE, '"b"', 'does not list']],
    ['a tensor no shard has', { ...WEIGHT_MAP, d: TWO }, FILES, ['"d"', TWO, 'does not have it']],
    ['a tensor in another shard', { ...WEIGHT_MAP, b: TWO }, FILES, [ONE, '"b"', TWO]],
    [
      'a tensor in two shards',
      WEIGHT_MAP,
      { ...FILES, [TWO]: shardOf(['c', 'a'], 0) },
      [TWO, '"a"', ONE],
    ],
    [
      'a broken shard',
      WEIGHT_MAP,
      { ...FILES, [ONE]: FILES[ONE]!.slice(0, -1) },
      [ONE, 'fetch it again'],
    ],
  ])('%s', async (_, weight_map, files, words) => {
    const { promise, opened } = openFrom(files, { weight_map });
    await expectRefused(promise, 'BAD_CHECKPOINT', ...words);
    expect(opened.every(source => source.closed > 0)).toBe(true);
  });

  it('a missing shard', async () => {
    const { promise, opened } = openFrom({ [TWO]: FILES[TWO]! }, { weight_map: WEIGHT_MAP });
    await expectRefused(promise, 'NOT_FOUND', ONE);
    expect(opened.map(source => source.closed)).toEqual([1]);
  });

  it.each([
    '../model.safetensors',
    '/etc/model.safetensors',
    'sub/model.safetensors',
    'sub\\model.safetensors',
    'C:model.safetensors',
    'model\0.safetensors',
    'model.safetensors\n',
    '..',
    '',
    'model.bin',
    'https://example.org/model.safetensors',
    7,
    null,
    ['model.safetensors'],
  ])('the file name %j', async fileName => {
    const { promise, opened } = openFrom({}, { weight_map: { a: fileName } });
    await expectRefused(promise, 'BAD_CHECKPOINT', 'the index', '"a"', JSON.stringify(fileName));
    expect(opened).toEqual([]);
  });

  it.each(['model.safetensors', 'pytorch_model', '.bin', '../a.bin'])(
    'the file name %j in an index of .bin files',
    name => {
      expect(() => parseWeightMap({ weight_map: { a: name } }, 'the index', '.bin')).toThrow(
        'only names of .bin files',
      );
      expect(parseWeightMap({ weight_map: { a: 'a.bin' } }, 'the index', '.bin')).toEqual(
        new Map([['a', 'a.bin']]),
      );
    },
  );

  it.each([null, 3, [], {}, { weight_map: null }, { weight_map: [] }, { weight_map: 'x' }])(
    'the index %j',
    async index => {
      await expectRefused(openFrom({}, index).promise, 'BAD_CHECKPOINT', 'the index', 'weight_map');
    },
  );
});
