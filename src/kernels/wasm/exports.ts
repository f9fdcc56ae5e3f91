/** What `asm/index.ts` exports. Pointers are numbers up to 2^32; `test/asm/module.test.ts` checks this list against the compiled modules. */

type Fn = (...args: number[]) => void;
/** Returns how many numbers, or scales, its format cannot hold. */
type Pack = (...args: number[]) => number | undefined;

export interface KernelExports {
  readonly add: Fn; // out, x, y, from, to
  readonly swiglu: Fn; // out, gate, up, from, to
  readonly rmsnorm: Fn; // out, x, weight, width, stride, eps, firstRow, endRow
  readonly rope: Fn; // x, stride, cosines, sines, half, heads, firstRow, endRow
  readonly embedF32: Fn; // out, outStride, table, tokens, width, firstRow, endRow
  readonly embedF16: Fn;
  readonly embedBF16: Fn;
  readonly storeKeyValue: Fn; // keys, keyStride, values, valueStride, row, page, slot, numKeyValueHeads, headDim
  readonly attention: Fn; // out, query, pages, kvBase, pageBytes, count, keyValueHead, numKeyValueHeads, groupSize, headDim, scale, scratch
  readonly matmulF32: Fn; // out, outStride, x, xStride, rows, weights, m, firstTile, endTile
  readonly matmulF16: Fn;
  readonly matmulBF16: Fn;
  readonly quantize14: Fn; // xq, xScales, x, xStride, width, firstRow, endRow
  readonly quantize14Halves: Fn;
  readonly quantize8: Fn; // xq, xScales, xSums, x, xStride, width, firstRow, endRow
  readonly matmulQ8: Fn; // out, outStride, xq, xScales, rows, weights, blocks, firstTile, endTile
  readonly matmulQ8Halves: Fn;
  readonly matmulQ4: Fn; // out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile
  readonly packF32: Pack; // dst, rows, rowStride, m, count
  readonly packBF16: Pack;
  readonly packF16: Pack;
  readonly packQ8: Pack;
  readonly packQ4: Pack;
  readonly widenF16: Fn; // dst, src, count
  readonly widenBF16: Fn;
}
