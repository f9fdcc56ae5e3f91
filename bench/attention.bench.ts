/**
 * Attention by itself, on one thread, at 16,384 positions: GB/s of keys and values for a single
 * row, from memory, beside a plain read; and 10^9 operations per second (a product and a sum are
 * two). The best of many calls: what the kernel can do, not what others left it.
 */
import { readFile } from 'node:fs/promises';
import type { KernelExports } from '../src/engines/wasm/kernels/exports.js';
import {
  ATTENTION_HEADS,
  ATTENTION_ROWS,
  attentionScratchBytes,
} from '../src/engines/wasm/memory/attention-scratch.js';
import { type CacheFormat, headPageBytes } from '../src/engines/wasm/memory/cache-formats.js';
import { PAGE_POSITIONS } from '../src/model/sequence.js';
import { best } from './best.js';
import { normalTable } from './random-weights.js';
import { readBandwidth } from './read-bandwidth.js';

const POSITIONS = 16_384;
const PAGES = POSITIONS / PAGE_POSITIONS;
/** Far more heads than any cache holds at 16,384 positions. */
const KEY_VALUE_HEADS = 16;
const [TABLE, ROWS, OUT, SCRATCH, KEY_VALUES] = [1, 2, 6, 10, 14].map(i => i * 2 ** 20);

const SUFFIXES = { f32: 'F32', f16: 'F16', q8: 'Q8' } as const satisfies Record<
  CacheFormat,
  string
>;

export async function attentionBench(): Promise<void> {
  console.log(
    `memory is read at ${((await readBandwidth(1)) / 1e9).toFixed(1)} GB/s by one thread`,
  );
  const module = await WebAssembly.compile(
    new Uint8Array(await readFile(new URL('../../dist/engines/wasm/simd.wasm', import.meta.url))),
  );
  for (const headDim of [128, 64]) {
    for (const groupSize of [1, 8]) {
      for (const rows of [1, ATTENTION_ROWS]) {
        for (const format of Object.keys(SUFFIXES) as CacheFormat[])
          measure(module, format, headDim, groupSize, rows);
      }
    }
  }
}

function measure(
  module: WebAssembly.Module,
  format: CacheFormat,
  headDim: number,
  groupSize: number,
  rows: number,
) {
  const pageBytes = KEY_VALUE_HEADS * headPageBytes(format, headDim);
  const initial = Math.ceil((KEY_VALUES + PAGES * pageBytes) / 65_536);
  const memory = new WebAssembly.Memory({ initial, maximum: 65_536, shared: true });
  const kernels = new WebAssembly.Instance(module, { env: { memory } })
    .exports as unknown as KernelExports;
  fill(kernels, memory, format, headDim, pageBytes);

  const shape = { headDim, groupSize, heads: ATTENTION_HEADS, rows };
  if (attentionScratchBytes(format, shape) > KEY_VALUES - SCRATCH)
    throw new RangeError('the scratch is too small');
  const stride = ATTENTION_HEADS * groupSize * headDim;
  const attend = kernels[`attention${SUFFIXES[format]}`];
  let head = 0;
  const milliseconds = best(() => {
    head = (head + ATTENTION_HEADS) % KEY_VALUE_HEADS;
    const offset = head * groupSize * headDim * 4; // the same rows for all heads
    attend(
      ...[
        OUT - offset,
        ROWS - offset,
        stride,
        rows,
        TABLE,
        KEY_VALUES,
        pageBytes,
        POSITIONS - rows + 1,
      ],
      ...[head, head + ATTENTION_HEADS, groupSize, headDim, 1 / Math.sqrt(headDim), SCRATCH],
    );
  });
  const bytes = PAGES * ATTENTION_HEADS * headPageBytes(format, headDim);
  const operations = 4 * POSITIONS * rows * ATTENTION_HEADS * groupSize * headDim;
  console.log(
    [
      `d = ${headDim}, ${groupSize} heads per group, ${rows} rows, ${format}:`.padEnd(44),
      `${(bytes / milliseconds / 1e6).toFixed(1).padStart(5)} GB/s,`,
      `${(operations / milliseconds / 1e6).toFixed(1).padStart(5)} GFLOP/s`,
    ].join(' '),
  );
}

/** Pages in order, all with the same 64 keys and values, and rows. */
function fill(
  kernels: KernelExports,
  memory: WebAssembly.Memory,
  format: CacheFormat,
  headDim: number,
  pageBytes: number,
) {
  const width = KEY_VALUE_HEADS * headDim;
  const rows = new Float32Array(memory.buffer, ROWS, PAGE_POSITIONS * width);
  rows.set(
    normalTable()
      .subarray(0, rows.length)
      .map(x => x * 50),
  ); // as large as real keys are
  new Uint32Array(memory.buffer, TABLE, PAGES).set(
    Array.from({ length: PAGES }, (_, page) => page),
  );
  const store = kernels[`storeKeyValue${SUFFIXES[format]}`];
  for (let t = 0; t < PAGE_POSITIONS; t++) {
    store(ROWS, width, ROWS, width, t, KEY_VALUES, t, KEY_VALUE_HEADS, headDim);
  }
  const all = new Uint8Array(memory.buffer);
  for (let page = 1; page < PAGES; page++) {
    all.copyWithin(KEY_VALUES + page * pageBytes, KEY_VALUES, KEY_VALUES + pageBytes);
  }
}
