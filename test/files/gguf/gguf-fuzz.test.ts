import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { ggufCheckpoint } from '../../../src/files/gguf/checkpoint.js';
import { parseGgufConfig } from '../../../src/files/gguf/config.js';
import { openGguf } from '../../../src/files/gguf/gguf.js';
import { memorySource } from '../../../src/files/source.js';
import { checkWeights } from '../../../src/model/check-weights.js';
import { GGUF_LM_HEAD } from '../../../src/model/weights.js';
import { readGgufTokenizer } from '../../../src/tokenizer/gguf/gguf-tokenizer.js';
import { goldenPath } from '../../support/golden.js';
import { array, entry, f32, ggufOf, info, integer, string, TYPE, text } from './build.js';

const SMALL = ggufOf({
  entries: [
    text('general.name', 'x'),
    integer('general.alignment', 32),
    array('a', TYPE.string, 2, string('b'), string('cd')),
    array('e', TYPE.f32, 1, f32(1)),
    entry('f', TYPE.bool, Buffer.of(1)),
  ],
  infos: [info('g', [32, 2], 8, 0), info('h', [3, 2], 0, 96), info('i', [5], 1, 128)],
  data: 138,
});
/** Everything that a model has. */
const MODEL = new Uint8Array(readFileSync(goldenPath('gguf/long-blocks.gguf')));
const MODEL_HEADER_BYTES = 9216;

/** Opens `bytes` and reads every tensor: it must work, or fail with a LlamaError. */
async function openOrRefuse(bytes: Uint8Array): Promise<boolean> {
  try {
    const file = await openGguf(memorySource(bytes));
    for (const tensor of file.tensors.values()) {
      const read = await tensor.readBytes();
      expect(read).toHaveLength(tensor.byteLength);
      await tensor.read();
    }
    return true;
  } catch (error) {
    return isRefusal(error, ['BAD_CHECKPOINT', 'UNSUPPORTED']);
  }
}

async function loadOrRefuse(bytes: Uint8Array): Promise<boolean> {
  try {
    const file = await openGguf(memorySource(bytes));
    readGgufTokenizer(file.metadata);
    const config = parseGgufConfig(file.metadata, !file.tensors.has(GGUF_LM_HEAD));
    checkWeights(config, await ggufCheckpoint(file, config));
    return true;
  } catch (error) {
    return isRefusal(error, [
      'BAD_CHECKPOINT',
      'UNSUPPORTED',
      'BAD_TOKENIZER',
      'BAD_CONFIG',
      'TENSOR_MISMATCH',
    ]);
  }
}

function isRefusal(error: unknown, codes: string[]): false {
  expect(error).toBeInstanceOf(LlamaError);
  expect(codes).toContain((error as LlamaError).code);
  return false;
}

/** What somebody writes who wants a count to wrap, a product to overflow, or memory to run out. */
const odd = fc.constantFrom(
  ...[
    0n,
    1n,
    2n,
    8n,
    12n,
    255n,
    256n,
    2n ** 16n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 40n,
    2n ** 53n,
  ],
  ...[2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
);

type Mutation = (bytes: Uint8Array) => Uint8Array;

/** Within the first `length` bytes. */
function mutationsOf(length: number): fc.Arbitrary<Mutation[]> {
  const at = fc.nat(length - 1);
  const put = (i: number, value: ArrayLike<number>): Mutation => {
    return bytes => {
      const copy = bytes.slice();
      copy.set(Array.from(value).slice(0, Math.max(0, copy.length - i)), Math.min(i, copy.length));
      return copy;
    };
  };
  const u64 = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);
  const mutation = fc.oneof(
    fc.record({ at, value: fc.nat(255) }).map(({ at: i, value }) => put(i, [value])),
    fc.record({ at, bit: fc.nat(7) }).map(({ at: i, bit }): Mutation => {
      return bytes => put(i, [(bytes[i] ?? 0) ^ (1 << bit)])(bytes);
    }),
    fc.record({ at, value: odd }).map(({ at: i, value }) => put(i, u64(value))),
    fc.record({ at, value: odd }).map(({ at: i, value }) => put(i, u64(value).slice(0, 4))),
    fc
      .record({ from: at, to: at, count: fc.integer({ min: 1, max: 60 }) })
      .map(({ from, to, count }): Mutation => {
        return bytes => put(to, bytes.slice(from, from + count))(bytes);
      }),
    at.map(
      (end): Mutation =>
        bytes =>
          bytes.slice(0, end),
    ),
    fc.record({ at, count: fc.integer({ min: 1, max: 40 }) }).map(({ at: i, count }): Mutation => {
      return bytes => Uint8Array.from([...bytes.subarray(0, i), ...bytes.subarray(i + count)]);
    }),
    fc
      .record({ at, more: fc.uint8Array({ minLength: 1, maxLength: 20 }) })
      .map(({ at: i, more }): Mutation => {
        return bytes => Uint8Array.from([...bytes.subarray(0, i), ...more, ...bytes.subarray(i)]);
      }),
  );
  return fc.array(mutation, { minLength: 1, maxLength: 3 });
}

it('the files that are going to be damaged are good', async () => {
  expect(await openOrRefuse(SMALL)).toBe(true);
  expect(await loadOrRefuse(MODEL)).toBe(true);
  expect(new TextDecoder().decode(MODEL.subarray(0, MODEL_HEADER_BYTES))).toContain(
    'output_norm.weight',
  );
});

it('a damaged file opens or is refused, and nothing else happens: 10,000 of them', async () => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(mutationsOf(SMALL.length), async mutations => {
      if (await openOrRefuse(mutations.reduce<Uint8Array>((bytes, mutate) => mutate(bytes), SMALL)))
        opened++;
    }),
    { numRuns: 10_000 },
  );
  expect(opened, 'all were refused: the mutations are too coarse').toBeGreaterThan(500);
});

it('10,000 files that lie open or are refused, and nothing else happens', async () => {
  const truthOr = (truth: bigint) => fc.oneof({ weight: 8, arbitrary: fc.constant(truth) }, odd);
  const lies = fc.record({
    ...{
      tensorCount: truthOr(2n),
      entryCount: truthOr(3n),
      textLength: truthOr(1n),
      valueCount: truthOr(2n),
    },
    ...{ nameLength: truthOr(1n), columns: truthOr(32n), rows: truthOr(2n), offset: truthOr(96n) },
    alignment: fc.oneof(
      { weight: 8, arbitrary: fc.constant(32) },
      fc.constantFrom(0, 1, 3, 64, 2 ** 31, 2 ** 32 - 1),
    ),
    dataBytes: fc.oneof({ weight: 8, arbitrary: fc.constant(120) }, fc.nat(200)),
  });
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(lies, async lie => {
      const entries = [
        integer('general.alignment', lie.alignment),
        entry('a', TYPE.string, string('b', lie.textLength)),
        array('c', TYPE.f32, lie.valueCount, f32(1), f32(2)),
      ];
      const named = Buffer.concat([
        string('d', lie.nameLength),
        info('', [lie.columns, lie.rows], 8, 0).subarray(8),
      ]);
      const infos = [named, info('e', [3, 2], 0, lie.offset)];
      const { tensorCount, entryCount, dataBytes: data } = lie;
      if (await openOrRefuse(ggufOf({ entries, infos, data, tensorCount, entryCount }))) opened++;
    }),
    { numRuns: 10_000 },
  );
  expect(opened, 'all were refused: it lies too often').toBeGreaterThan(500);
});

it('a damaged model opens or is refused, and nothing else happens: 3,000 of them', async () => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(mutationsOf(MODEL_HEADER_BYTES), async mutations => {
      if (await loadOrRefuse(mutations.reduce<Uint8Array>((bytes, mutate) => mutate(bytes), MODEL)))
        opened++;
    }),
    { numRuns: 3000 },
  );
  expect(opened, 'all were refused: the mutations are too coarse').toBeGreaterThan(100);
});

it('all these files together have taken less than 1 GB of memory at any time', () => {
  expect(process.resourceUsage().maxRSS).toBeLessThan(1e6); // in KB
});
