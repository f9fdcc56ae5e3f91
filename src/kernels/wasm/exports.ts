/**
 * What `asm/index.ts` exports, by the names of the parameters. `eps` and `scale` are float32, everything else is a pointer or a count: i32 to
 * WebAssembly, a number up to 2^32 here. `test/asm/module.test.ts` holds the compiled modules to this table.
 */
export const KERNELS = {
  add: ['out', 'x', 'y', 'from', 'to'],
  swiglu: ['out', 'gate', 'up', 'from', 'to'],
  rmsnorm: ['out', 'x', 'weight', 'width', 'stride', 'eps', 'firstRow', 'endRow'],
  rope: ['x', 'stride', 'cosines', 'sines', 'half', 'heads', 'firstRow', 'endRow'],
  embedF32: ['out', 'outStride', 'table', 'tokens', 'width', 'firstRow', 'endRow'],
  embedF16: ['out', 'outStride', 'table', 'tokens', 'width', 'firstRow', 'endRow'],
  embedBF16: ['out', 'outStride', 'table', 'tokens', 'width', 'firstRow', 'endRow'],
  storeKeyValue: [
    ...(['keys', 'keyStride', 'values', 'valueStride', 'row', 'page', 'slot', 'numKeyValueHeads', 'headDim'] as const),
  ],
  attentionRows: [
    ...(['out', 'query', 'stride', 'rows', 'pages', 'kvBase', 'pageBytes', 'count', 'keyValueHead'] as const),
    ...(['numKeyValueHeads', 'groupSize', 'headDim', 'scale', 'scratch'] as const),
  ],
  expRange: ['out', 'x', 'from', 'to'],
  matmulF32: ['out', 'outStride', 'x', 'xStride', 'rows', 'weights', 'm', 'firstTile', 'endTile'],
  matmulF16: ['out', 'outStride', 'x', 'xStride', 'rows', 'weights', 'm', 'firstTile', 'endTile'],
  matmulBF16: ['out', 'outStride', 'x', 'xStride', 'rows', 'weights', 'm', 'firstTile', 'endTile'],
  quantize14: ['xq', 'xScales', 'x', 'xStride', 'width', 'firstRow', 'endRow'],
  quantize14Halves: ['xq', 'xScales', 'x', 'xStride', 'width', 'firstRow', 'endRow'],
  quantize8: ['xq', 'xScales', 'xSums', 'x', 'xStride', 'width', 'firstRow', 'endRow'],
  matmulQ8: ['out', 'outStride', 'xq', 'xScales', 'rows', 'weights', 'blocks', 'firstTile', 'endTile'],
  matmulQ8Halves: ['out', 'outStride', 'xq', 'xScales', 'rows', 'weights', 'blocks', 'firstTile', 'endTile'],
  matmulQ4: ['out', 'outStride', 'xq', 'xScales', 'xSums', 'rows', 'weights', 'blocks', 'firstTile', 'endTile'],
  rebiasF16: ['to', 'from', 'count'],
  widenF16: ['to', 'from', 'count'],
  widenBF16: ['to', 'from', 'count'],
  packF32: ['to', 'rows', 'rowStride', 'm', 'count'],
  packBF16: ['to', 'rows', 'rowStride', 'm', 'count'],
  packF16: ['to', 'rows', 'rowStride', 'm', 'count'],
  packPairs: ['to', 'rows', 'rowStride', 'm', 'count'],
  packQ8: ['to', 'rows', 'rowStride', 'm', 'count'],
  packQ4: ['to', 'rows', 'rowStride', 'm', 'count'],
} as const;

/** What makes f16s, and scales, returns how many of them were too large, the others return nothing. */
export type KernelExports = Readonly<Record<keyof typeof KERNELS, (...args: number[]) => number | undefined>>;
