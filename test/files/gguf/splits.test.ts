import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { openGgufParts } from '../../../src/files/gguf/splits.js';
import { expectRefused, watched } from '../helpers.js';
import { entry, ggufOf, info, integer, TYPE, text } from './build.js';

const path = (part: number, parts = 3) =>
  `dir/m-${String(part).padStart(5, '0')}-of-${String(parts).padStart(5, '0')}.gguf`;
const u16 = (key: string, value: number) => entry(key, TYPE.u16, Buffer.of(value, 0));

interface Part {
  no?: number;
  count?: number;
  total?: number;
  names?: string[];
}

/** Part `part` of three, with the tensors `names`, of one number each: the number of the part. */
function partOf(
  part: number,
  { no = part - 1, count = 3, total = 4, names = [`t${part}`] }: Part = {},
): Uint8Array {
  const numbers = names.map(() =>
    Buffer.concat([Buffer.from(Float32Array.of(part).buffer), Buffer.alloc(28)]),
  );
  const entries = [
    u16('split.no', no),
    u16('split.count', count),
    integer('split.tensors.count', total),
  ];
  return ggufOf({
    entries: part === 1 ? [text('general.name', 'whole'), ...entries] : entries,
    infos: names.map((name, i) => info(name, [1], 0, 32 * i)),
    data: Buffer.concat(numbers),
  });
}

const FILES = {
  [path(1)]: partOf(1, { names: ['t1', 't0'] }),
  [path(2)]: partOf(2),
  [path(3)]: partOf(3),
};

function openFrom(files: Record<string, Uint8Array>, first = path(1)) {
  const opened: ReturnType<typeof watched>[] = [];
  const promise = openGgufParts(first, async name => {
    if (!Object.hasOwn(files, name)) throw new LlamaError('NOT_FOUND', `no ${name}`);
    opened.push(watched(files[name], name));
    return opened.at(-1)!;
  });
  return { promise, opened };
}

it.each([1, 2, 3])('finds all parts from part %i', async part => {
  const { promise, opened } = openFrom(FILES, path(part));
  const file = await promise;
  expect(file.name).toBe(path(1));
  expect([...file.tensors.keys()]).toEqual(['t1', 't0', 't2', 't3']);
  expect(await file.tensors.get('t3')!.read()).toEqual(Float32Array.of(3));
  expect(file.metadata.get('general.name')!.value).toBe('whole');
  await file.close();
  expect(opened.every(({ closed }) => closed > 0)).toBe(true);
});

it('a file that is whole may have any name', async () => {
  const whole = partOf(1, { count: 1, total: 1 });
  expect((await openFrom({ x: whole }, 'x').promise).tensors.size).toBe(1);
  const plain = ggufOf();
  expect((await openFrom({ [path(2)]: plain }, path(2)).promise).tensors.size).toBe(0);
});

describe('refuses, and leaves no file open:', () => {
  it.each<[string, Record<string, Uint8Array>, 'BAD_CHECKPOINT' | 'NOT_FOUND', string[]]>([
    [
      'a part that is missing',
      { [path(1)]: FILES[path(1)], [path(3)]: FILES[path(3)] },
      'NOT_FOUND',
      [path(2)],
    ],
    [
      'parts in another order',
      { ...FILES, [path(2)]: partOf(3), [path(3)]: partOf(2) },
      'BAD_CHECKPOINT',
      [path(2), 'part 3 of 3'],
    ],
    [
      'a part of another file',
      { ...FILES, [path(3)]: partOf(3, { count: 4 }) },
      'BAD_CHECKPOINT',
      [path(3), 'part 3 of 4'],
    ],
    [
      'a file that is no part',
      { ...FILES, [path(3)]: ggufOf() },
      'BAD_CHECKPOINT',
      [path(3), 'split.no is undefined (nothing)'],
    ],
    [
      'a tensor twice, and different',
      { ...FILES, [path(3)]: partOf(3, { names: ['t1'] }) },
      'BAD_CHECKPOINT',
      [path(1), path(3), '"t1"', 'which is right?'],
    ],
    [
      'a tensor too few',
      { ...FILES, [path(3)]: partOf(3, { names: [] }) },
      'BAD_CHECKPOINT',
      ['announces 4', 'they have 3'],
    ],
    [
      'a broken part',
      { ...FILES, [path(2)]: FILES[path(2)].slice(0, 99) },
      'BAD_CHECKPOINT',
      [path(2)],
    ],
    [
      'another count than its name has',
      { [path(1)]: partOf(1, { count: 2 }) },
      'BAD_CHECKPOINT',
      ['one of 2 parts', 'of-00002.gguf'],
    ],
    [
      'a number that is none',
      { [path(1)]: ggufOf({ entries: [text('split.count', '3')] }) },
      'BAD_CHECKPOINT',
      ['split.count is "3" (string)'],
    ],
    ['no parts', { [path(1)]: partOf(1, { count: 0 }) }, 'BAD_CHECKPOINT', ['one of 0 parts']],
  ])('%s', async (_, files, code, words) => {
    const { promise, opened } = openFrom(files);
    await expectRefused(promise, code, ...words);
    expect(opened.every(({ closed }) => closed > 0)).toBe(true);
  });

  it('a part that says there are none, even if its name says so too', async () => {
    const { promise } = openFrom({ [path(1, 0)]: partOf(1, { count: 0 }) }, path(1, 0));
    await expectRefused(promise, 'BAD_CHECKPOINT', 'one of 0 parts');
  });

  it('a part by another name', async () => {
    const { promise } = openFrom({ 'model.gguf': FILES[path(1)] }, 'model.gguf');
    await expectRefused(
      promise,
      'BAD_CHECKPOINT',
      'model.gguf is one of 3 parts',
      'model-00001-of-00003.gguf',
    );
  });
});
