/**
 * What lies between the width and the stride of an activation is zero (asm/README.md): quantizing
 * and the products of pairs read it. Here every operation that makes one writes onto NaN.
 */
import { expect, it } from 'vitest';
import { attentionScratchBytes } from '../../src/engines/wasm/memory/attention-scratch.js';
import { headPageBytes } from '../../src/engines/wasm/memory/cache-formats.js';
import { noise } from '../support/tensors.js';
import { describeBuilds } from './instance.js';
import { linear, strideOf } from './linear.js';
import { FORMATS, pack } from './packed.js';

const WIDTHS = [1, 2, 3, 10, 22, 33, 50, 66, 127, 260];
const ROWS = 3;
const CACHES = { attentionF32: 'f32', attentionF16: 'f16', attentionQ8: 'q8' } as const;

describeBuilds('gaps', instance => {
  const { kernels } = instance;
  const activation = (width: number) =>
    instance.place(noise(ROWS * width, width), width, strideOf(width));
  /** Full of NaN. */
  const result = (width: number) => instance.reserve(ROWS * strideOf(width) * 4);

  function expectZeros(pointer: number, width: number): void {
    const stride = strideOf(width);
    const floats = instance.floats(pointer, ROWS * stride);
    for (let r = 0; r < ROWS; r++) {
      const row = floats.subarray(r * stride, (r + 1) * stride);
      expect(row.subarray(0, width).some(Number.isNaN), `width ${width}: what is written`).toBe(
        false,
      );
      expect([...row.subarray(width)].every(x => x === 0)).toBe(true);
    }
  }

  it.each(['embedF32', 'embedF16', 'embedBF16'] as const)('%s', name => {
    for (const width of WIDTHS) {
      instance.reset();
      const table = instance.reserve(ROWS * width * 4);
      instance.floats(table, ROWS * width).fill(0);
      const tokens = instance.reserve(ROWS * 4);
      instance.bytes(tokens, ROWS * 4).set(new Uint8Array(Uint32Array.of(2, 0, 1).buffer));
      const out = result(width);
      kernels[name](out, strideOf(width), table, tokens, width, 0, ROWS);
      expectZeros(out, width);
    }
  });

  it('rmsnorm', () => {
    for (const width of WIDTHS) {
      instance.reset();
      const out = result(width);
      const weight = instance.place(noise(width), width, strideOf(width));
      kernels.rmsnorm(out, activation(width), weight, width, strideOf(width), 1e-5, 0, ROWS);
      expectZeros(out, width);
    }
  });

  it.each(FORMATS)('matmul of %s', format => {
    for (const width of WIDTHS) {
      instance.reset();
      const weights = pack(instance, format, noise(width * 33, width), 33);
      const { pointer } = linear(instance, noise(ROWS * 33), weights, width);
      expectZeros(pointer, width);
    }
  });

  it('rope', () => {
    for (const half of WIDTHS) {
      instance.reset();
      const x = activation(2 * half);
      const [cosines, sines] = [noise(ROWS * half, 1), noise(ROWS * half, 2)];
      const table = (numbers: Float64Array) => instance.place(numbers, half, half);
      kernels.rope(x, strideOf(2 * half), table(cosines), table(sines), half, 1, 0, ROWS);
      expectZeros(x, 2 * half);
    }
  });

  it.each(['add', 'swiglu'] as const)('%s', name => {
    for (const width of WIDTHS) {
      instance.reset();
      const out = result(width);
      kernels[name](out, activation(width), activation(width), 0, ROWS * strideOf(width));
      expectZeros(out, width);
    }
  });

  it.each(['attentionF32', 'attentionF16', 'attentionQ8'] as const)(
    '%s, its heads one by one',
    name => {
      for (const [heads, headDim] of [1, 3, 5].flatMap(h =>
        [2, 10, 22, 34, 50].map(d => [h, d] as const),
      )) {
        instance.reset();
        const width = heads * headDim;
        const cache = CACHES[name];
        const pageBytes = heads * headPageBytes(cache, headDim);
        const page = instance.reserve(pageBytes);
        instance.bytes(page, pageBytes).fill(0);
        const pages = instance.reserve(4);
        instance.bytes(pages, 4).fill(0);
        const shape = { headDim, groupSize: 1, heads: 1, rows: ROWS };
        const scratch = instance.reserve(attentionScratchBytes(cache, shape));
        const [query, out] = [activation(width), result(width)];
        for (let head = 0; head < heads; head++) {
          kernels[name](
            ...[out, query, strideOf(width), ROWS, pages, page, pageBytes, 1],
            ...[head, head + 1, heads, 1, headDim, 0.25, scratch],
          );
        }
        expectZeros(out, width);
      }
    },
  );
});
