/**
 * What `asm/index.ts` exports, by the names of the parameters. `eps` and `scale` are float32,
 * everything else is a pointer or a count: i32 to WebAssembly, a number up to 2^32 here.
 * `test/asm/module.test.ts` holds the compiled modules to this table.
 */

const STORE_KEY_VALUE = [
  ...([
    'keys',
    'keyStride',
    'values',
    'valueStride',
    'row',
    'page',
    'slot',
    'numKeyValueHeads',
    'headDim',
  ] as const),
];
const ATTENTION = [
  ...(['out', 'query', 'stride', 'rows', 'pages', 'kvBase', 'pageBytes', 'count'] as const),
  ...(['firstHead', 'endHead', 'numKeyValueHeads'] as const),
  ...(['groupSize', 'headDim', 'scale', 'scratch'] as const),
];

const FLOAT_MATMUL = [
  ...(['out', 'outStride', 'x', 'xStride', 'rows', 'weights', 'm'] as const),
  ...(['firstTile', 'endTile', 'scratch'] as const),
];
const QUANTIZE = [
  ...(['xq', 'xScales', 'xSums', 'x', 'xStride', 'width', 'firstRow', 'endRow'] as const),
];
const BLOCK_MATMUL = [
  ...(['out', 'outStride', 'xq', 'xScales', 'xSums', 'rows', 'weights', 'blocks'] as const),
  ...(['firstTile', 'endTile'] as const),
];

const REPACK = [...(['to', 'rows', 'rowBytes', 'blocks', 'count'] as const)];

export const KERNELS = {
  add: ['out', 'x', 'y', 'from', 'to'],
  swiglu: ['out', 'gate', 'up', 'from', 'to'],
  rmsnorm: ['out', 'x', 'weight', 'width', 'stride', 'eps', 'firstRow', 'endRow'],
  rope: [
    ...(['x', 'stride', 'cosines', 'sines', 'tableStride'] as const),
    ...(['half', 'heads', 'firstRow', 'endRow'] as const),
  ],
  embedF32: ['out', 'outStride', 'table', 'tokens', 'width', 'firstRow', 'endRow'],
  embedF16: ['out', 'outStride', 'table', 'tokens', 'width', 'firstRow', 'endRow'],
  embedBF16: ['out', 'outStride', 'table', 'tokens', 'width', 'firstRow', 'endRow'],
  storeKeyValueF32: STORE_KEY_VALUE,
  storeKeyValueF16: STORE_KEY_VALUE,
  storeKeyValueQ8: STORE_KEY_VALUE,
  attentionF32: ATTENTION,
  attentionF16: ATTENTION,
  attentionQ8: ATTENTION,
  expRange: ['out', 'x', 'from', 'to'],
  matmulF32: FLOAT_MATMUL,
  matmulF16: FLOAT_MATMUL,
  matmulBF16: FLOAT_MATMUL,
  quantize14: QUANTIZE,
  quantize8: QUANTIZE,
  quantize8K: QUANTIZE,
  scaleForF16: QUANTIZE,
  matmulQ8: BLOCK_MATMUL,
  matmulQ4: BLOCK_MATMUL,
  matmulQ41: BLOCK_MATMUL,
  matmulQ5: BLOCK_MATMUL,
  matmulQ51: BLOCK_MATMUL,
  matmulQ2K: BLOCK_MATMUL,
  matmulQ3K: BLOCK_MATMUL,
  matmulQ4K: BLOCK_MATMUL,
  matmulQ5K: BLOCK_MATMUL,
  matmulQ6K: BLOCK_MATMUL,
  rebiasF16: ['to', 'from', 'count'],
  widenF16: ['to', 'from', 'count'],
  widenBF16: ['to', 'from', 'count'],
  packF32: ['to', 'rows', 'rowStride', 'm', 'count'],
  packBF16: ['to', 'rows', 'rowStride', 'm', 'count'],
  packF16: ['to', 'rows', 'rowStride', 'm', 'count'],
  packPairs: ['to', 'rows', 'rowStride', 'm', 'count'],
  packQ8: ['to', 'rows', 'rowStride', 'm', 'count'],
  packQ4: ['to', 'rows', 'rowStride', 'm', 'count'],
  repackQ8: REPACK,
  repackQ4: REPACK,
  repackQ41: REPACK,
  repackQ5: REPACK,
  repackQ51: REPACK,
  repackQ2K: REPACK,
  repackQ3K: REPACK,
  repackQ4K: REPACK,
  repackQ5K: REPACK,
  repackQ6K: REPACK,
} as const;

/**
 * What stores or packs numbers returns how many of them, or of their scales, the format cannot
 * hold, if there is a limit; the others return nothing.
 */
export type KernelExports = Readonly<
  Record<keyof typeof KERNELS, (...args: number[]) => number | undefined>
>;
