import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { openSafetensors } from '../../../src/files/safetensors/safetensors.js';
import { memorySource } from '../../../src/files/source.js';
import { fileOf } from '../helpers.js';

const VALID = fileOf(
  '{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},' +
    '"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},' +
    '"empty":{"dtype":"U8","shape":[0],"data_offsets":[16,16]}}',
  16,
);

/**
 * Opens `bytes` and reads every tensor: it must work, or fail with a LlamaError; and what is
 * announced must be there.
 */
async function openOrRefuse(bytes: Uint8Array): Promise<boolean> {
  try {
    const file = await openSafetensors(memorySource(bytes));
    let covered = 0;
    for (const tensor of file.tensors.values()) covered += (await tensor.readBytes()).length;
    const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    expect(header + covered).toBe(bytes.length);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(LlamaError);
    expect(error).toMatchObject({ code: 'BAD_CHECKPOINT' });
    return false;
  }
}

type Mutation = (bytes: Uint8Array) => Uint8Array;
const at = fc.nat(VALID.length - 1);
const mutation = fc.oneof(
  fc.record({ i: at, value: fc.nat(255) }).map(
    ({ i, value }): Mutation =>
      bytes =>
        put(bytes, i, value),
  ),
  fc.record({ i: at, value: fc.constantFrom(...Buffer.from('0123456789{}[]",:-.eE\\ ')) }).map(
    ({ i, value }): Mutation =>
      bytes =>
        put(bytes, i, value),
  ),
  fc.record({ i: at, bit: fc.nat(7) }).map(
    ({ i, bit }): Mutation =>
      bytes =>
        put(bytes, i, get(bytes, i) ^ (1 << bit)),
  ),
  fc.record({ i: at, j: at }).map(
    ({ i, j }): Mutation =>
      bytes =>
        put(put(bytes, i, get(bytes, j)), j, get(bytes, i)),
  ),
  at.map(
    (length): Mutation =>
      bytes =>
        bytes.slice(0, Math.max(1, length)),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(
    (more): Mutation =>
      bytes =>
        Uint8Array.from([...bytes, ...more]),
  ),
  fc.record({ i: at, text: fc.string({ maxLength: 12 }) }).map(
    ({ i, text }): Mutation =>
      bytes =>
        insertIntoHeader(bytes, i, text),
  ),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(
    (length): Mutation =>
      bytes =>
        withLength(bytes, length),
  ),
  fc.bigInt({ min: 0n, max: 300n }).map(
    (length): Mutation =>
      bytes =>
        withLength(bytes, length),
  ),
);

function get(bytes: Uint8Array, i: number): number {
  return bytes[i % bytes.length]!;
}

function put(bytes: Uint8Array, i: number, value: number): Uint8Array {
  return bytes.with(i % bytes.length, value);
}

function withLength(bytes: Uint8Array, length: bigint): Uint8Array {
  if (bytes.length < 8) return bytes;
  const copy = bytes.slice();
  new DataView(copy.buffer).setBigUint64(0, length, true);
  return copy;
}

/**
 * Text put somewhere into the header, whose length is corrected, so that the JSON itself is what is
 * tried.
 */
function insertIntoHeader(bytes: Uint8Array, i: number, text: string): Uint8Array {
  const place = Math.min(bytes.length, 8 + (i % 200));
  const inserted = Buffer.from(text);
  const longer = Uint8Array.from([
    ...bytes.subarray(0, place),
    ...inserted,
    ...bytes.subarray(place),
  ]);
  return longer.length < 24 ? longer : withLength(longer, BigInt(longer.length - 8 - 16));
}

it('the file that is going to be damaged is good', async () => {
  expect(await openOrRefuse(VALID)).toBe(true);
});

it('a damaged file opens or is refused, and nothing else happens', async () => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async mutations => {
      if (await openOrRefuse(mutations.reduce((bytes, mutate) => mutate(bytes), VALID))) opened++;
    }),
    { numRuns: 8000 },
  );
  expect(opened, 'all were refused: the mutations are too coarse').toBeGreaterThan(0);
});

it('a header of odd values opens or is refused, and nothing else happens', async () => {
  const oddNumber = fc.constantFrom(
    0,
    1,
    2,
    4,
    8,
    -1,
    -0,
    0.5,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    2 ** 63,
    1e308,
  );
  const odd = fc.oneof(
    oddNumber,
    fc.constantFrom(null, true, '', 'F32', [], {}),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const numbers = fc.array(fc.oneof({ weight: 9, arbitrary: oddNumber }, odd), { maxLength: 3 });
  const tensor = fc.record(
    {
      dtype: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('F32', 'U8', 'F64', 'F4', '__proto__') },
        odd,
      ),
      shape: fc.oneof({ weight: 9, arbitrary: numbers }, odd),
      data_offsets: fc.oneof(
        {
          weight: 9,
          arbitrary: fc.array(fc.constantFrom(0, 4, 8, 2 ** 53), { minLength: 2, maxLength: 2 }),
        },
        odd,
      ),
    },
    { requiredKeys: [] },
  );
  const header = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', '__metadata__', '__proto__', 'toString'),
    fc.oneof({ weight: 9, arbitrary: tensor }, odd),
  );
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(header, fc.constantFrom(0, 1, 4, 8), async (value, data) => {
      if (await openOrRefuse(fileOf(value, data))) opened++;
    }),
    { numRuns: 5000 },
  );
  expect(opened).toBeGreaterThan(0);
});

it('a prefix of a file is always refused', async () => {
  for (let length = 0; length < VALID.length; length++)
    expect(await openOrRefuse(VALID.slice(0, length))).toBe(false);
});

it('a header of 200,000 tensors is read', async () => {
  const entries = Array.from(
    { length: 200_000 },
    (_, i) => `"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
  );
  expect(await openOrRefuse(fileOf(`{${entries.slice(0, 2000).join(',')}}`, 2000))).toBe(true);
  const file = await openSafetensors(memorySource(fileOf(`{${entries.join(',')}}`, 200_000)));
  expect(file.tensors.size).toBe(200_000);
});
