import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../../src/base/errors.js';
import { elementCount } from '../../../src/base/tensor.js';
import { parseNpy } from '../../../src/oracle/dump/npy.js';
import { permuteAxes } from '../../../src/oracle/dump/permute.js';
import { expectRefused } from '../../files/helpers.js';
import { countingUp, headerOf, npyOf } from './support.js';

const parse = (bytes: Uint8Array) => parseNpy(bytes, 'a.npy');
const refused = (bytes: Uint8Array, code: LlamaErrorCode, ...words: string[]) =>
  expectRefused((async () => parse(bytes))(), code, 'a.npy', ...words);

describe('numbers of every kind', () => {
  const kinds = { i1: 1, i2: 2, i4: 4, i8: 8, u1: 1, u2: 2, u4: 4, u8: 8, f2: 2, f4: 4, f8: 8 };
  const orders = ['<', '>', '|'] as const;
  const cases = Object.entries(kinds).flatMap(([kind, size]) =>
    orders
      .filter(order => (order === '|') === (size === 1))
      .map(order => [order, kind, size] as const),
  );
  it.each(cases)('%s%s', (order, kind, size) => {
    const view = new DataView(new ArrayBuffer(2 * size));
    const isLittle = order !== '>';
    const write = (at: number, value: number) => {
      if (kind === 'f2')
        view.setUint16(at, value === 2 ? 0x4000 : 0x4440, isLittle); // 2, 4.25
      else if (kind === 'f4') view.setFloat32(at, value, isLittle);
      else if (kind === 'f8') view.setFloat64(at, value, isLittle);
      else if (size === 8) view.setBigInt64(at, BigInt(value), isLittle);
      else if (size === 4) view.setInt32(at, value, isLittle);
      else if (size === 2) view.setInt16(at, value, isLittle);
      else view.setInt8(at, value);
    };
    const values = kind[0] === 'f' ? [2, 4.25] : kind[0] === 'i' ? [2, -3] : [2, 100];
    for (const [i, value] of values.entries()) write(i * size, value);
    const file = npyOf(headerOf(`${order}${kind}`, '(2,)'), new Uint8Array(view.buffer));
    expect([...parse(file).data]).toEqual(values);
  });

  it('integers beyond 2^53 stay larger than any token', () => {
    const bytes = new Uint8Array(new BigUint64Array([2n ** 64n - 1n]).buffer);
    expect(parse(npyOf(headerOf('<u8', '(1,)'), bytes)).data[0]).toBe(2 ** 64);
  });

  it.each(['<V2', '|V2', 'bfloat16'])('bfloat16 as %s', descr => {
    const { dtype, data } = parse(npyOf(headerOf(descr, '(1,)'), Uint8Array.of(0x20, 0x40)));
    expect([dtype, ...data]).toEqual(['BF16', 2.5]);
  });

  it('NaN and infinities are kept', () => {
    const bytes = new Uint8Array(Float32Array.of(NaN, -Infinity).buffer);
    expect([...parse(npyOf(headerOf('<f4', '(2,)'), bytes)).data]).toEqual([NaN, -Infinity]);
  });
});

describe('headers', () => {
  it.each<[string, string, readonly number[]]>([
    ['of a scalar', headerOf('<f4', '()'), []],
    ['of Python 2', headerOf('<f4', '(1L, 1L)'), [1, 1]],
    ['in another order', "{'shape': (1,), 'descr': '<f4', 'fortran_order': True}", [1]],
    ['in double quotes', '{"descr": \'<f4\', "fortran_order": False, "shape": (1,)}', [1]],
  ])('%s', (_, header, shape) => {
    expect(parse(npyOf(header, 4)).shape).toEqual(shape);
  });

  it.each<[string, Uint8Array, ...string[]]>([
    ['no magic', Uint8Array.from(Buffer.from('{"a": [1, 2, 3]}')), 'not as a .npy file'],
    ['nothing', new Uint8Array(), 'begins with ""'],
    ['nothing after the magic', npyOf('').subarray(0, 9), 'ends inside its header'],
    ['a header that is cut off', npyOf(headerOf('<f4', '(1,)')).subarray(0, 40), 'the file has 40'],
    ['a long header', npyOf(' '.repeat(65_537), 0, 2), '65537 bytes', 'limit is 65536'],
    ['no dictionary', npyOf('[1, 2]'), 'not one that NumPy writes'],
    ['a missing field', npyOf("{'descr': '<f4', 'shape': (1,)}", 4), 'not one that NumPy writes'],
    [
      'a field twice',
      npyOf(`${headerOf('<f4', '(1,)').slice(0, -2)}'shape': (1,)}`, 4),
      'NumPy writes',
    ],
    ['another field', npyOf(`${headerOf('<f4', '(1,)').slice(0, -3)}'x': 1}`, 4), 'NumPy writes'],
    ['a call', npyOf(headerOf('<f4', 'exit()'), 4), 'not one that NumPy writes'],
    [
      'exchanged values',
      npyOf("{'descr': '<f4', 'fortran_order': (1,), 'shape': True}", 4),
      'NumPy',
    ],
    ['a gap in the shape', npyOf(headerOf('<f4', '(1,,1)'), 4), '"(1,,1)" is not the shape'],
    ['a shape of no numbers', npyOf(headerOf('<f4', '(LL,)'), 4), 'is not the shape'],
    ['a size of 2^64', npyOf(headerOf('<f4', '(18446744073709551616,)'), 4), 'is not the shape'],
    ['too few numbers', npyOf(headerOf('<f4', '(2, 3)'), 20), '[2,3] takes 24 bytes, but 20'],
    ['too many numbers', npyOf(headerOf('<f4', '(2, 3)'), 25), 'takes 24 bytes, but 25'],
    [
      'more numbers than any memory has',
      npyOf(headerOf('<f8', '(9007199254740991, 9007199254740991)'), 8),
      'but 8 follow',
    ],
  ])('are refused: %s', async (_, bytes, ...words) => {
    await refused(bytes, 'BAD_CHECKPOINT', ...words);
  });

  it.each<[string, Uint8Array, ...string[]]>([
    ['version 4', npyOf(headerOf('<f4', '(1,)'), 4, 4), 'version 4.0'],
    ['objects', npyOf(headerOf('|O', '(1,)'), 8), 'a pickle', 'any program'],
    ['fields', npyOf("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4), "'a'"],
    ['complex numbers', npyOf(headerOf('<c8', '(1,)'), 8), '<c8', 'astype("float32")'],
    ['long double', npyOf(headerOf('<f16', '(1,)'), 16), '<f16'],
    ['booleans', npyOf(headerOf('|b1', '(1,)'), 1), '|b1'],
    ['texts', npyOf(headerOf('<U3', '(1,)'), 12), '<U3'],
    ['names of objects', npyOf(headerOf('<constructor', '(1,)'), 12), 'constructor'],
  ])('are refused: %s', async (_, bytes, ...words) => {
    await refused(bytes, 'UNSUPPORTED', ...words);
  });
});

it('column by column: element [i, j] of 2 × 3 is number i + 2 · j', () => {
  const bytes = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
  const { shape, data } = parse(npyOf(headerOf('<f4', '(2, 3)', true), bytes));
  expect([shape, ...data]).toEqual([[2, 3], 0, 2, 4, 1, 3, 5]);
});

it('axes in another order: every element is where its indices say', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  const cases = shapes.chain(shape => {
    const axes = [...shape.keys()];
    return fc.shuffledSubarray(axes, { minLength: axes.length }).map(order => ({ shape, order }));
  });
  fc.assert(
    fc.property(cases, ({ shape, order }) => {
      const permuted = permuteAxes(countingUp(shape).data, shape, order);
      const sizes = order.map(axis => shape[axis]);
      for (let to = 0; to < elementCount(shape); to++) {
        const index = new Map(order.map((axis, i) => [axis, indexAt(to, sizes, i)]));
        const from = shape.reduce((sum, size, axis) => sum * size + index.get(axis)!, 0);
        expect(permuted[to]).toBe(from);
      }
    }),
  );
});

/** The index along `axis` of element `at` of a row-major array. */
const indexAt = (at: number, shape: readonly number[], axis: number): number =>
  Math.floor(at / elementCount(shape.slice(axis + 1))) % shape[axis];
