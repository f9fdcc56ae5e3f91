/**
 * A model to try builds with: two small layers that have matrices of every packed format, sizes
 * that are multiples of nothing, and numbers that are none of a model's but made up.
 */
import type { Checkpoint } from '../../../model/checkpoint.js';
import type { LlamaConfig } from '../../../model/config.js';
import { BLOCK_UNITS, type BlockDType } from '../../../model/dtypes.js';
import { expectedWeights } from '../../../model/weights.js';
import type { KernelExports } from '../kernels/exports.js';
import type { Bank } from '../kernels/lock-step.js';
import type { CacheFormat } from '../memory/cache-formats.js';
import { type MemoryLayout, makeLayout, type Place } from '../memory/layout.js';
import { type PackedFormat, TILE, tileBytes } from '../memory/weight-formats.js';
import { TABLE } from '../memory/weight-items.js';
import type { PackedDType } from '../workers/messages.js';
import { packTile } from '../workers/pack-tile.js';

/** Rows are whole blocks of 256 in D, as the K formats have them; in F of 32, an odd number. */
export const TRIAL: LlamaConfig = {
  vocabSize: 67,
  hiddenSize: 256,
  intermediateSize: 160,
  numHiddenLayers: 2,
  numAttentionHeads: 3,
  numKeyValueHeads: 3, // so that one row, two and three are as many queries
  headDim: 40,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { type: 'linear', factor: 8 },
  maxPositionEmbeddings: 128,
  tieWordEmbeddings: false,
  bosTokenId: undefined,
  eosTokenIds: [],
};

/** Of the matrices, in the order of `expectedWeights`, which ends with the head. */
const DTYPES = [
  'F32', // the embedding
  ...(['F32', 'F16', 'BF16', 'F32', 'Q2_K', 'Q4_K', 'Q8_0'] as const),
  ...(['Q6_K', 'Q5_K', 'Q3_K', 'F16', 'Q4_0', 'Q5_0', 'Q4_1'] as const),
  'Q5_1', // the head
] as const satisfies PackedDType[];

/** Where the float16 scales are in a block, of the formats that are not packed from numbers. */
const SCALES_AT: Readonly<Partial<Record<BlockDType, readonly number[]>>> = {
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/** Float16 of 2^−9: with quants of up to 2^11, and scales, the size of a model's weights. */
const SCALE = 0x1800;

/** Nothing in it can be read. */
const CHECKPOINT: Checkpoint = {
  name: 'made up',
  tensors: new Map(
    [...expectedWeights(TRIAL)].map(([name, shape]) => {
      const read = () => Promise.reject(new Error('a trial model has no file'));
      const dtype = dtypeOf(name);
      return [
        name,
        { name, shape, dtype, byteLength: 0, read, readInto: read, readBytes: read },
      ] as const;
    }),
  ),
  close: async () => {},
};

function dtypeOf(name: string): PackedDType {
  const matrices = [...expectedWeights(TRIAL)].filter(([, shape]) => shape.length === 2);
  return DTYPES[matrices.findIndex(([matrix]) => matrix === name)] ?? 'F32';
}

/** Where it lies, for one thread and at most `maxRows` rows at a time. */
export function layOutTrial(cache: CacheFormat, maxRows: number): MemoryLayout {
  return makeLayout(TRIAL, CHECKPOINT, { cache, maxRows, threads: 1 });
}

/** Puts the weights there. */
export function placeTrial(
  { kernels, memory: { buffer } }: Bank,
  { places, arena }: MemoryLayout,
): void {
  const [source] = arena.staging.buffers;
  for (const [name, place] of Object.entries(places)) {
    const { format, pointer, shape } = place;
    if (format === 'vector' || name === TABLE) {
      writeNumbers(
        new Float32Array(
          buffer,
          pointer,
          shape.reduce((a, b) => a * b),
        ),
      );
      continue;
    }
    packMatrix(kernels, buffer, { place, source, scratch: arena.staging.tiles[0] });
  }
}

function packMatrix(
  kernels: KernelExports,
  buffer: SharedArrayBuffer,
  { place, source, scratch }: { place: Place; source: number; scratch: number },
): void {
  const { pointer, shape } = place;
  const format = place.format as PackedFormat;
  const [rows, columns] = shape;
  const own = format.toUpperCase() as BlockDType;
  const scalesAt = SCALES_AT[own];
  const dtype = scalesAt ? own : 'F32';
  const { numbers, bytes } = scalesAt ? BLOCK_UNITS[own] : { numbers: 1, bytes: 4 };
  const rowBytes = (columns / numbers) * bytes;
  if (scalesAt) writeBlocks(new DataView(buffer, source, rows * rowBytes), bytes, scalesAt);
  else writeNumbers(new Float32Array(buffer, source, rows * columns));
  for (let row = 0; row < rows; row += TILE) {
    const target = pointer + (row / TILE) * tileBytes(format, columns);
    const count = Math.min(TILE, rows - row);
    const job = { dtype, format, columns, rowBytes } as const;
    packTile(kernels, job, target, source + row * rowBytes, count, scratch);
  }
}

/** Of either sign, most of them small, some large, some 0. */
function writeNumbers(numbers: Float32Array<SharedArrayBuffer>): void {
  for (let i = 0; i < numbers.length; i++) {
    const hash = hashOf(i + numbers.length);
    const number = hash / 2 ** 31 - 1; // −1 … 1
    numbers[i] = hash % 61 === 0 ? 0 : hash % 53 === 0 ? 8 * number : number / 4;
  }
}

/** Any quants, in blocks of `bytes` bytes. */
function writeBlocks(
  view: DataView<SharedArrayBuffer>,
  bytes: number,
  scalesAt: readonly number[],
): void {
  for (let i = 0; i < view.byteLength; i++) view.setUint8(i, hashOf(i));
  for (let at = 0; at < view.byteLength; at += bytes)
    for (const scale of scalesAt) view.setUint16(at + scale, SCALE + (hashOf(at) % 1024), true);
}

/** Some number of 32 bits for each `i`: Knuth's multiplicative hash, mixed once. */
function hashOf(i: number): number {
  const x = Math.imul(i + 1, 2_654_435_761);
  return Math.imul(x ^ (x >>> 15), 2_246_822_519) >>> 0;
}
