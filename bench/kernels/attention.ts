/**
 * Attention in the shape of the 7B model, whose heads share no keys: one row after 16,384 positions, from memory; as many rows as go together, after 1,024
 * positions of one head, which stay in the cache.
 */
import { KERNELS } from '../../src/kernels/wasm/exports.js';
import { ATTENTION_ROWS, PAGE_POSITIONS } from '../../src/kernels/wasm/plan.js';
import { best } from '../best.js';
import type { Kernels } from './kernels.js';

const POSITIONS = 16_384;
const CACHED = 1024;
const HEAD_DIM = 128;
/** Of the model's 32, as many as make the cache far larger than the processor's. */
const HEADS = 16;
const STRIDE = HEADS * HEAD_DIM;
const HEAD_PAGE_BYTES = PAGE_POSITIONS * 2 * HEAD_DIM * 4;
const [QUERY, OUT, PAGES, SCRATCH, KEYS_VALUES] = [1, 2, 3, 4, 5].map(i => i * 2 ** 20);

/** Bytes of keys and values per second for one row, and operations per second for many, both in 10^9. */
export function measureAttention({ exports, memory, numbers }: Kernels) {
  const pages = POSITIONS / PAGE_POSITIONS;
  numbers(QUERY, ATTENTION_ROWS * STRIDE);
  numbers(KEYS_VALUES, (pages * HEADS * HEAD_PAGE_BYTES) / 4);
  new Uint32Array(memory.buffer, PAGES, pages).set(Array.from({ length: pages }, (_, i) => i));

  const attend = (head: number, rows: number, positions: number) => {
    const args: Record<(typeof KERNELS)['attentionRows'][number], number> = {
      out: OUT,
      query: QUERY,
      stride: STRIDE,
      rows,
      pages: PAGES,
      kvBase: KEYS_VALUES,
      pageBytes: HEADS * HEAD_PAGE_BYTES,
      count: positions - rows + 1,
      keyValueHead: head,
      numKeyValueHeads: HEADS,
      groupSize: 1,
      headDim: HEAD_DIM,
      scale: 1 / Math.sqrt(HEAD_DIM),
      scratch: SCRATCH,
    };
    exports.attentionRows(...KERNELS.attentionRows.map(name => args[name]));
  };
  let head = 0;
  const decode = best(() => attend(head++ % HEADS, 1, POSITIONS));
  const prefill = best(() => attend(0, ATTENTION_ROWS, CACHED));
  const operations = ATTENTION_ROWS * CACHED * HEAD_DIM * 4; // q·k and p·v, a product and a sum each
  return { read: (pages * HEAD_PAGE_BYTES) / decode / 1e6, operations: operations / prefill / 1e6 };
}
