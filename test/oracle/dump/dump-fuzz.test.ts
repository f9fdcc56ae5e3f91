/** Damaged files are read or refused, and nothing else happens. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { memorySource } from '../../../src/files/source.js';
import { checkDump } from '../../../src/oracle/dump/check-dump.js';
import { parseNpy } from '../../../src/oracle/dump/npy.js';
import { openNpz } from '../../../src/oracle/dump/npz.js';
import { goldenPath } from '../../support/golden-files.js';
import { CONFIG } from './support.js';

const golden = (name: string) => new Uint8Array(readFileSync(goldenPath(`dumps/${name}`)));
const RUNS = { numRuns: 300 };

/** Whether it is read; anything but a LlamaError is an error. */
async function isRead(read: () => unknown): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(LlamaError);
    return false;
  }
}

const readArchive = async (bytes: Uint8Array) =>
  checkDump({ source: 'x.npz', ...(await openNpz(memorySource(bytes, 'x.npz'))) }, CONFIG);
const readArray = (bytes: Uint8Array) => parseNpy(bytes, 'x.npy');

/** Bytes with some replaced, or left out, or doubled; `among` are the places that matter. */
function damaged(file: Uint8Array, among: number): fc.Arbitrary<Uint8Array> {
  const at = fc.oneof(fc.nat(among - 1), fc.nat(file.length - 1));
  const printable = fc.constantFrom(
    ...Buffer.from('<>|fiuVO0123456789()[]{},:\'" LTF\0\xff', 'latin1'),
  );
  const change = fc.record({ at, value: fc.oneof(fc.nat(255), printable) });
  const changed = fc.array(change, { minLength: 1, maxLength: 3 }).map(changes => {
    const copy = file.slice();
    for (const { at, value } of changes) copy[at] = value;
    return copy;
  });
  const moved = fc.record({ at, length: fc.nat(40), isLost: fc.boolean() });
  const shifted = moved.map(({ at, length, isLost }) =>
    Uint8Array.from([
      ...file.subarray(0, at),
      ...file.subarray(isLost ? at + length : at - length),
    ]),
  );
  return fc.oneof(changed, shifted);
}

const NPY = golden('npy/model.layers.1.self_attn.probabilities.npy');
const STORED = golden('logits.npz');
const DEFLATED = golden('hooks.npz');

it('the files that are going to be damaged are good', async () => {
  expect(await isRead(() => readArray(NPY))).toBe(true);
  for (const file of [STORED, DEFLATED]) expect(await isRead(() => readArchive(file))).toBe(true);
});

it('a damaged array is read or refused', async () => {
  let read = 0;
  const property = fc.asyncProperty(damaged(NPY, 128), async bytes => {
    if (await isRead(() => readArray(bytes))) read++;
  });
  await fc.assert(property, RUNS);
  expect(read, 'all were refused: the damage is too coarse').toBeGreaterThan(0);
});

it.each([
  ['stored', STORED],
  ['deflated', DEFLATED],
])('a damaged %s archive is read or refused', async (_, file) => {
  const property = fc.asyncProperty(damaged(file, 400), async bytes => {
    await isRead(() => readArchive(bytes));
  });
  await fc.assert(property, RUNS);
});

it('every prefix of an array and of an archive is refused', async () => {
  for (let end = 0; end < NPY.length; end++)
    expect(await isRead(() => readArray(NPY.subarray(0, end)))).toBe(false);
  for (let end = 0; end < STORED.length; end += 7)
    expect(await isRead(() => readArchive(STORED.subarray(0, end)))).toBe(false);
});

it('a header of random characters is read or refused', async () => {
  const start = NPY.subarray(0, 10);
  const words = fc.constantFrom(
    "'descr'",
    "'<f4'",
    "'shape'",
    '(1,)',
    'True',
    ': ',
    ', ',
    '{',
    '}',
    '(',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(words, fc.string()), { maxLength: 20 }), async parts => {
      const text = Buffer.from(parts.join(''), 'latin1');
      const bytes = Uint8Array.from([...start, ...text, ...new Uint8Array(4)]);
      bytes.set([text.length & 255, text.length >> 8], 8);
      await isRead(() => readArray(bytes));
    }),
    RUNS,
  );
});

it('all these files together have taken less than 1 GB of memory at any time', () => {
  expect(process.resourceUsage().maxRSS).toBeLessThan(1e6); // in KB
});
