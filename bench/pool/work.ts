/** How much a call of a kernel has to do, as its arguments tell it. */
import { KERNELS } from '../../src/engines/wasm/kernels/exports.js';
import { BLOCKS, NUMBERS } from '../../src/engines/wasm/kernels/linear-layers.js';
import { type PackedFormat, tileBytes } from '../../src/engines/wasm/memory/weight-formats.js';

export interface Work {
  /** The kernel, and what its cost per number depends on beside: `matmulQ8, 128 rows`. */
  readonly kind: string;
  /** Products, or numbers: what its time grows with. */
  readonly numbers: number;
  /** Of weights, which come from memory. */
  readonly bytes: number;
}

/** Of the weights that a kernel multiplies with. */
const FORMATS: Readonly<Record<string, PackedFormat>> = Object.fromEntries(
  Object.entries({ ...NUMBERS, ...BLOCKS }).map(([format, { matmul }]) => [
    matmul,
    format as PackedFormat,
  ]),
);

export function workOf(name: string, args: readonly number[]): Work {
  const names: readonly string[] = KERNELS[name as keyof typeof KERNELS];
  const of = (parameter: string) => args[names.indexOf(parameter)] ?? 1;
  const range = (from: string, to: string) => (names.includes(to) ? of(to) - of(from) : 1);
  const rows = range('firstRow', 'endRow') * of('rows');
  if (name in FORMATS) {
    const inner = names.includes('m') ? of('m') : of('blocks') * (name.endsWith('K') ? 256 : 32);
    const tiles = range('firstTile', 'endTile');
    return {
      kind: `${name}, ${rows} rows`,
      numbers: rows * tiles * 16 * inner,
      bytes: tiles * tileBytes(FORMATS[name], inner),
    };
  }
  if (name.startsWith('attention')) {
    const heads = range('firstHead', 'endHead') * of('groupSize');
    const numbers = rows * heads * of('headDim') * of('count');
    return { kind: `${name}, ${rows} rows`, numbers, bytes: 0 };
  }
  const width = of('width') * of('heads') * of('half') * of('numKeyValueHeads') * of('headDim');
  return { kind: name, numbers: rows * width * range('from', 'to'), bytes: 0 };
}

/** Whether such calls are dealt out in pieces; all others are a thread's fixed share. */
export const isDealt = (name: string) => name.startsWith('matmul') || name.startsWith('attention');
