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
  const open = async () => {
    const weightMap = parseWeightMap(index, 'the index', '.safetensors');
    const names = new Set(weightMap.values());
    return openShards(weightMap, names, 'the index', openShard, name => name !== 'unneeded');
  };
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

describe('as transformers does, goes by what the files hold:', () => {
  it.each<[string, object, Record<string, Uint8Array>, string[], string[]]>([
    ['a tensor the index does not list', { a: ONE, c: TWO }, FILES, ['a', 'b', 'c'], []],
    ['a tensor in another shard', { ...WEIGHT_MAP, b: TWO }, FILES, ['a', 'b', 'c'], []],
    [
      'a tensor no shard has',
      { ...WEIGHT_MAP, d: TWO },
      FILES,
      ['a', 'b', 'c'],
      [`the index lists what its files do not have: d in ${TWO}`],
    ],
    [
      'a tensor in two shards that is the same',
      WEIGHT_MAP,
      { ...FILES, [TWO]: shardOf(['c', 'x', 'b'], 9) },
      ['a', 'b', 'c', 'x'],
      [],
    ],
    [
      'one in two shards that differs, but is not needed',
      WEIGHT_MAP,
      { [ONE]: shardOf(['a', 'b', 'unneeded'], 0), [TWO]: shardOf(['c', 'unneeded'], 0) },
      ['a', 'b', 'c', 'unneeded'],
      [],
    ],
  ])('%s', async (_, weight_map, files, names, notes) => {
    const checkpoint = await openFrom(files, { weight_map }).promise;
    expect([...checkpoint.tensors.keys()].sort()).toEqual(names);
    expect(checkpoint.notes).toEqual(notes);
    await checkpoint.close();
  });

  it.each(['sub/model (v1) copy.safetensors', 'a/b/ü.safetensors', '..model.safetensors'])(
    'a shard named %j',
    async name => {
      const files = { [name]: shardOf(['a'], 0) };
      const checkpoint = await openFrom(files, { weight_map: { a: name } }).promise;
      expect([...checkpoint.tensors.keys()]).toEqual(['a']);
      await checkpoint.close();
    },
  );
});

describe('refuses, and leaves no file open:', () => {
  it.each<[string, object, Record<string, Uint8Array>, string[]]>([
    [
      'a tensor in two shards that differs',
      WEIGHT_MAP,
      { ...FILES, [TWO]: shardOf(['c', 'a'], 0) },
      [TWO, '"a"', ONE, 'which is right?'],
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
    './model.safetensors',
    'sub/../../model.safetensors',
    'sub//model.safetensors',
    'sub/',
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

  it.each(['model.safetensors', 'pytorch_model', '../a.bin'])(
    'the file name %j in an index of .bin files',
    name => {
      expect(() => parseWeightMap({ weight_map: { a: name } }, 'the index', '.bin')).toThrow(
        'only .bin files',
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
