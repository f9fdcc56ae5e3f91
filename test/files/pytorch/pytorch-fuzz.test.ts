import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { openPytorch } from '../../../src/files/pytorch/pytorch.js';
import { memorySource } from '../../../src/files/source.js';
import { goldenPath } from '../../support/golden.js';
import {
  bytesOf,
  checkpointOf,
  dict,
  int,
  ints,
  NUMBERS,
  orderedDict,
  pickleOf,
  put,
  storageClass,
  tensor,
  text,
} from './pickle-support.js';

const PICKLE = pickleOf(
  dict(
    ...[text('a'), tensor({ hooks: [...orderedDict, ...put(0)] })],
    ...[text('turned'), tensor({ size: ints(3, 2), stride: ints(1, 3) })],
    ...[
      text('b'),
      tensor({
        key: text('1'),
        storage: storageClass('HalfStorage'),
        numel: 4,
        offset: int(1),
        size: ints(3),
        stride: ints(1),
      }),
    ],
  ),
);
const STORAGES = { 0: bytesOf(NUMBERS), 1: new Uint8Array(8) };
const VALID = checkpointOf(PICKLE, STORAGES);

/**
 * Opens `bytes` and reads all tensors: it must work, or fail with a LlamaError. What is opened has
 * room in the file.
 */
async function openOrRefuse(bytes: Uint8Array): Promise<boolean> {
  try {
    const { tensors } = await openPytorch(memorySource(bytes));
    for (const tensor of tensors.values()) {
      // A stride of 0 can repeat a number as often as it likes; nobody asks for that many.
      if (tensor.byteLength > 1e6) continue;
      if ((await tensor.readBytes()).length !== tensor.byteLength)
        throw new Error(`${tensor.name} has another length`);
    }
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(LlamaError);
    expect(['BAD_CHECKPOINT', 'UNSUPPORTED']).toContain((error as LlamaError).code);
    return false;
  }
}

type Mutation = (bytes: Uint8Array) => Uint8Array;
const at = fc.nat();
const opcodes = Uint8Array.from([
  0x28, 0x29, 0x2e, 0x4a, 0x4b, 0x4e, 0x51, 0x52, 0x5d, 0x61, 0x62, 0x63, 0x68, 0x71, 0x73, 0x74,
  0x75, 0x7d, 0x85, 0x86, 0x8a, 0x93, 0x94,
]);
const replace = (value: fc.Arbitrary<number>) =>
  fc.record({ i: at, value }).map(
    ({ i, value }): Mutation =>
      bytes =>
        bytes.with(i % bytes.length, value),
  );
const mutation = fc.oneof(
  replace(fc.nat(255)),
  replace(fc.constantFrom(0, 1, 127, 128, 255, ...opcodes)),
  fc.record({ i: at, bit: fc.nat(7) }).map(
    ({ i, bit }): Mutation =>
      bytes =>
        bytes.with(i % bytes.length, bytes[i % bytes.length] ^ (1 << bit)),
  ),
  fc.record({ i: at, j: at }).map(
    ({ i, j }): Mutation =>
      bytes =>
        bytes.with(i % bytes.length, bytes[j % bytes.length]),
  ),
  // 16, 32 or 64 bits of something.
  fc
    .record({
      i: at,
      words: fc.array(fc.constantFrom(0, 1, 0xffff, 0x7fff), { minLength: 1, maxLength: 4 }),
    })
    .map(
      ({ i, words }): Mutation =>
        bytes => {
          const copy = bytes.slice();
          const word = bytesOf(Uint16Array.from(words));
          copy.set(word, i % Math.max(1, bytes.length - word.length));
          return copy;
        },
    ),
  // A stretch that comes again elsewhere, or is left out.
  fc.record({ from: at, length: fc.nat(60), to: at, keep: fc.boolean() }).map(
    ({ from, length, to, keep }): Mutation =>
      bytes => {
        const [begin, target] = [from % bytes.length, to % bytes.length];
        const stretch = bytes.slice(begin, begin + length);
        const rest = keep
          ? bytes
          : Uint8Array.from([...bytes.subarray(0, begin), ...bytes.subarray(begin + length)]);
        return Uint8Array.from([...rest.subarray(0, target), ...stretch, ...rest.subarray(target)]);
      },
  ),
);
const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 });
const mutated = (bytes: Uint8Array, all: readonly Mutation[]) =>
  all.reduce((result, mutate) => (result.length === 0 ? result : mutate(result)), bytes);

it('the file that is going to be damaged is good', async () => {
  expect(await openOrRefuse(VALID)).toBe(true);
});

it('a damaged file opens or is refused, and nothing else happens', async () => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(mutations, async all => {
      if (await openOrRefuse(mutated(VALID, all))) opened++;
    }),
    { numRuns: 6000 },
  );
  expect(opened, 'all were refused: the mutations are too coarse').toBeGreaterThan(0);
});

it('a damaged pickle in a good archive opens or is refused, and nothing else happens', async () => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(mutations, async all => {
      if (await openOrRefuse(checkpointOf(mutated(PICKLE, all), STORAGES))) opened++;
    }),
    { numRuns: 6000 },
  );
  expect(opened).toBeGreaterThan(0);
});

it('a pickle of random opcodes opens or is refused, and nothing else happens', async () => {
  const opcode = fc.oneof(fc.constantFrom(...opcodes), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.array(opcode, { maxLength: 60 }), async bytes => {
      await openOrRefuse(checkpointOf(Uint8Array.of(0x80, 2, ...bytes, 0x2e)));
    }),
    { numRuns: 6000 },
  );
});

it('what PyTorch wrote, one bit of its description changed, opens or is refused', async () => {
  const file = new Uint8Array(await readFile(goldenPath('pytorch/views/protocol4.bin')));
  const pickleBytes = 3300;
  const directory = file.length - 5000;
  let opened = 0;
  for (let bit = 0; bit < 8; bit++) {
    for (let i = bit; i < file.length; i += i < pickleBytes || i > directory ? 32 : 800) {
      if (await openOrRefuse(file.with(i, file[i] ^ (1 << bit)))) opened++;
    }
  }
  expect(opened).toBeGreaterThan(0);
});

it('a prefix of a file is always refused', async () => {
  for (let length = 0; length < VALID.length; length++)
    expect(await openOrRefuse(VALID.slice(0, length))).toBe(false);
});

it('all these files together have taken less than 1 GB of memory at any time', () => {
  expect(process.resourceUsage().maxRSS).toBeLessThan(1e6); // in KB
});
