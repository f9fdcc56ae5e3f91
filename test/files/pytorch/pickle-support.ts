/** Pickles put together by hand, opcode by opcode, and checkpoints around them. */
import { type ZipOptions, type ZipSpec, zipOf } from '../zip/zip-support.js';

export type Bytes = readonly number[];

export const NONE: Bytes = [0x4e];
export const TRUE: Bytes = [0x88];
export const FALSE: Bytes = [0x89];
export const MARK: Bytes = [0x28];
export const EMPTY_TUPLE: Bytes = [0x29];
export const EMPTY_LIST: Bytes = [0x5d];
export const EMPTY_DICT: Bytes = [0x7d];
export const REDUCE: Bytes = [0x52];
export const BUILD: Bytes = [0x62];
export const SETITEM: Bytes = [0x73];
export const APPEND: Bytes = [0x61];
export const BINPERSID: Bytes = [0x51];
export const STOP: Bytes = [0x2e];

export const pickleOf = (...parts: readonly Bytes[]): Uint8Array =>
  Uint8Array.from([0x80, 2, ...parts.flat(), ...STOP]);

export const text = (value: string): Bytes => [
  0x58,
  ...uint32(Buffer.byteLength(value)),
  ...Buffer.from(value),
];

/** As Python does it: BININT where it fits, else LONG1. */
export function int(value: number): Bytes {
  if (value >= -(2 ** 31) && value < 2 ** 31) return [0x4a, ...uint32(value)];
  const bytes = new BigInt64Array([BigInt(value)]);
  return [0x8a, 8, ...new Uint8Array(bytes.buffer)];
}

export const tuple = (...items: readonly Bytes[]): Bytes => [...MARK, ...items.flat(), 0x74];
export const list = (...items: readonly Bytes[]): Bytes => [
  ...EMPTY_LIST,
  ...MARK,
  ...items.flat(),
  0x65,
];
export const dict = (...items: readonly Bytes[]): Bytes => [
  ...EMPTY_DICT,
  ...MARK,
  ...items.flat(),
  0x75,
];
export const global = (module: string, name: string): Bytes => [
  0x63,
  ...Buffer.from(`${module}\n${name}\n`),
];
export const call = (callee: Bytes, ...args: readonly Bytes[]): Bytes => [
  ...callee,
  ...tuple(...args),
  ...REDUCE,
];
export const put = (index: number): Bytes => [0x71, index];
export const get = (index: number): Bytes => [0x68, index];
export const longPut = (index: number): Bytes => [0x72, ...uint32(index)];
export const longGet = (index: number): Bytes => [0x6a, ...uint32(index)];
export const orderedDict: Bytes = call(global('collections', 'OrderedDict'));

export const uint32 = (value: number): Bytes => [...new Uint8Array(Uint32Array.of(value).buffer)];

export interface TensorSpec {
  readonly storage?: Bytes;
  readonly key?: Bytes;
  readonly numel?: number;
  readonly id?: Bytes;
  readonly offset?: Bytes;
  readonly size?: Bytes;
  readonly stride?: Bytes;
  readonly requiresGrad?: Bytes;
  readonly hooks?: Bytes;
  readonly more?: readonly Bytes[];
  readonly rebuild?: string;
}

export const storageClass = (name: string): Bytes => global('torch', name);
export const ints = (...values: readonly number[]): Bytes => tuple(...values.map(int));

/** A call of _rebuild_tensor_v2: six numbers of float32, [2, 3], in data/0. */
export function tensor(spec: TensorSpec = {}): Bytes {
  const {
    storage = storageClass('FloatStorage'),
    key = text('0'),
    numel = 6,
    rebuild = '_rebuild_tensor_v2',
  } = spec;
  const { id = tuple(text('storage'), storage, key, text('cpu'), int(numel)) } = spec;
  const {
    offset = int(0),
    size = ints(2, 3),
    stride = ints(3, 1),
    requiresGrad = FALSE,
    hooks = orderedDict,
  } = spec;
  const persistent = [...id, ...BINPERSID];
  const args = [persistent, offset, size, stride, requiresGrad, hooks, ...(spec.more ?? [])];
  return call(global('torch._utils', rebuild), ...args);
}

export const NUMBERS = Float32Array.of(1, 2, 3, 4, 5, 6);
export const bytesOf = (numbers: ArrayBufferView): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** The files of a checkpoint; data/0 has NUMBERS if not told otherwise. */
export function filesOf(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = { 0: bytesOf(NUMBERS) },
): ZipSpec[] {
  return [
    { name: 'archive/data.pkl', data: pickle },
    { name: 'archive/byteorder', data: Buffer.from('little') },
    ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
    { name: 'archive/version', data: Buffer.from('3\n') },
    { name: 'archive/.data/serialization_id', data: Buffer.from('0123') },
  ];
}

export function checkpointOf(
  pickle: Uint8Array,
  storages?: Readonly<Record<string, Uint8Array>>,
  options?: ZipOptions,
): Uint8Array {
  return zipOf(filesOf(pickle, storages), options);
}
