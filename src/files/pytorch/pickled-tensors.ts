/**
 * The tensors of a state_dict, as data.pkl describes them (torch/_utils.py,
 * torch/serialization.py). A tensor is a view of a storage, an array of numbers in a file of its
 * own; several may view the same one, as tied weights do:
 *
 *     _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks
 *                        [, metadata])
 *     _rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, backward_hooks, dtype
 *                        [, metadata])
 *     _rebuild_parameter(tensor, requires_grad, backward_hooks)
 *
 *     storage = persistent id ("storage", class of storage, key, device, number of elements)
 *
 * Offset and strides count elements. Version 3 has dtypes for which there are no classes of
 * storage; its storages count bytes.
 */

import { check, firstOf, show } from '../../base/errors.js';
import { elementCount } from '../../base/tensor.js';
import { DTYPE_BYTES, type DType } from '../../model/dtypes.js';
import { describe, isKind, type PickleCall, type PickleValue } from './pickle-values.js';
import { isOverlapping } from './strided.js';

const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_TENSOR_OF_DTYPE = 'torch._utils._rebuild_tensor_v3';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
const SIZE = 'torch.Size';
const UNTYPED_STORAGE = 'torch.storage.UntypedStorage';

const STORAGE_DTYPES = new Map<string, DType>([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
  ['torch.ComplexFloatStorage', 'C64'],
]);

const DTYPES = new Map<string, DType>([
  ['torch.float64', 'F64'],
  ['torch.float32', 'F32'],
  ['torch.float16', 'F16'],
  ['torch.bfloat16', 'BF16'],
  ['torch.float8_e5m2', 'F8_E5M2'],
  ['torch.float8_e4m3fn', 'F8_E4M3'],
  ['torch.float8_e8m0fnu', 'F8_E8M0'],
  ['torch.float8_e4m3fnuz', 'F8_E4M3FNUZ'],
  ['torch.float8_e5m2fnuz', 'F8_E5M2FNUZ'],
  ['torch.complex64', 'C64'],
  ['torch.int64', 'I64'],
  ['torch.int32', 'I32'],
  ['torch.int16', 'I16'],
  ['torch.int8', 'I8'],
  ['torch.uint64', 'U64'],
  ['torch.uint32', 'U32'],
  ['torch.uint16', 'U16'],
  ['torch.uint8', 'U8'],
  ['torch.bool', 'BOOL'],
]);

/**
 * What `torch.load(weights_only=True)` knows besides (torch/_weights_only_unpickler.py): entries
 * that are no tensors have them, and are passed over.
 */
const OTHER_GLOBALS = [
  ...['torch.device', 'torch.serialization._get_layout', 'collections.Counter'],
  ...['datetime.timedelta', '_codecs.encode'],
  ...['builtins.bytearray', 'builtins.complex', 'builtins.set'],
  ...['__builtin__.bytearray', '__builtin__.complex', '__builtin__.set'],
];

/** All that a checkpoint of weights may mention. */
export const GLOBALS: ReadonlySet<string> = new Set([
  ...OTHER_GLOBALS,
  'collections.OrderedDict',
  REBUILD_TENSOR,
  REBUILD_TENSOR_OF_DTYPE,
  REBUILD_PARAMETER,
  SIZE,
  UNTYPED_STORAGE,
  ...STORAGE_DTYPES.keys(),
  ...DTYPES.keys(),
]);

/** Weights have two, and what reads views is recursive. */
const MAX_DIMENSIONS = 64;

export interface TensorView {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In elements, as `offset`. */
  readonly strides: readonly number[];
  readonly offset: number;
  readonly storage: Storage;
}

export interface Storage {
  /** Its file is data/<key>. */
  readonly key: string;
  readonly byteLength: number;
  /** None if its class does not say. */
  readonly dtype: DType | undefined;
}

/** What a dict holds. */
export interface StateDict {
  readonly views: readonly TensorView[];
  /** The names of entries that are no tensors: a step, a version, None. */
  readonly others: readonly string[];
}

/**
 * @param root what data.pkl holds
 * @param file its name, for messages
 * @throws {LlamaError} BAD_CHECKPOINT or UNSUPPORTED, naming the tensor, if it is not a dict with
 * tensors, or one of them is broken.
 */
export function parseStateDict(root: PickleValue, file: string): StateDict {
  bad(
    isKind(root, 'dict'),
    () => `${file} holds ${describe(root)}, not a dict of tensors; ${WHAT_TO_SAVE}`,
  );
  const views = new Map<string, TensorView>();
  const others: string[] = [];
  for (const [name, value] of root.entries) {
    if (!isTensor(value)) {
      others.push(typeof name === 'string' ? name : describe(name));
      continue;
    }
    bad(
      typeof name === 'string',
      () => `${file}: a tensor has the name ${describe(name)}, which is not text`,
    );
    bad(!views.has(name), () => `${file}: ${show(name)} comes twice`);
    views.set(name, parseTensor(name, value, `${file}: ${show(name)}`));
  }
  bad(
    views.size > 0 || others.length === 0,
    () => `${file} holds no tensors, but ${firstOf(others)}; ${WHAT_TO_SAVE}`,
  );
  return { views: [...views.values()], others };
}

const isTensor = (value: PickleValue): boolean =>
  [REBUILD_TENSOR, REBUILD_TENSOR_OF_DTYPE, REBUILD_PARAMETER].some(callee =>
    isCall(value, callee),
  );

const WHAT_TO_SAVE = 'save the tensors alone, such as torch.save(model.state_dict(), …)';

function parseTensor(name: string, value: PickleValue, where: string): TensorView {
  const call = unwrapParameter(value, where);
  bad(
    isCall(call, REBUILD_TENSOR) || isCall(call, REBUILD_TENSOR_OF_DTYPE),
    () => `${where} is ${describe(call)}, not a tensor; ${WHAT_TO_SAVE}`,
  );
  const [storageId, offset, size, stride, requiresGrad, hooks, ...more] = call.args;
  const [dtypeId, metadata, ...others] =
    call.callee === REBUILD_TENSOR ? [undefined, ...more] : more;
  bad(
    typeof requiresGrad === 'boolean' && isEmpty(hooks) && others.length === 0 && isCount(offset),
    () => `${where} is not what ${call.callee} takes`,
  );
  check(
    metadata === undefined || metadata === null || isEmpty(metadata),
    'UNSUPPORTED',
    () =>
      `${where} is conjugated or negated when it is read; save tensor.resolve_conj().resolve_neg()`,
  );
  const storage = parseStorage(storageId, where);
  const shape = parseSizes(size, where);
  const strides = parseSizes(stride, where);
  const view = {
    name,
    dtype: parseDType(dtypeId, storage, where),
    shape,
    strides,
    offset,
    storage,
  };
  checkView(view, where);
  return view;
}

/** The tensor of a parameter; anything else as it is. */
function unwrapParameter(value: PickleValue, where: string): PickleValue {
  if (!isCall(value, REBUILD_PARAMETER)) return value;
  const [tensor, requiresGrad, hooks, ...others] = value.args;
  bad(
    typeof requiresGrad === 'boolean' && isEmpty(hooks) && others.length === 0,
    () => `${where} is not what ${value.callee} takes`,
  );
  return tensor;
}

function parseStorage(value: PickleValue | undefined, where: string): Storage {
  const id = isKind(value, 'reference') && isKind(value.id, 'tuple') ? value.id.items : [];
  const [type, storageClass, key, device, count, ...others] = id;
  bad(
    type === 'storage' &&
      isKind(storageClass, 'global') &&
      typeof device === 'string' &&
      others.length === 0,
    () => `${where} has ${describe(value)} for a storage`,
  );
  const dtype = STORAGE_DTYPES.get(storageClass.name);
  bad(
    dtype !== undefined || storageClass.name === UNTYPED_STORAGE,
    () => `${where} has a storage of the class ${describe(storageClass)}`,
  );
  bad(
    typeof key === 'string' && isCount(count),
    () => `${where} has a storage without key or size`,
  );
  const byteLength = count * (dtype === undefined ? 1 : DTYPE_BYTES[dtype]);
  return { key, byteLength, dtype };
}

/** By the class of the storage, or else by name. */
function parseDType(id: PickleValue | undefined, storage: Storage, where: string): DType {
  const named = isKind(id, 'global') ? DTYPES.get(id.name) : undefined;
  const dtype = storage.dtype ?? named;
  bad(
    dtype !== undefined && (storage.dtype === undefined) === (id !== undefined),
    () => `${where} has a storage of ${storage.dtype ?? 'bytes'} and the dtype ${describe(id)}`,
  );
  return dtype;
}

/** A tuple of sizes or strides, or a torch.Size of one. */
function parseSizes(value: PickleValue | undefined, where: string): readonly number[] {
  const tuple = isCall(value, SIZE) && value.args.length === 1 ? value.args[0] : value;
  bad(isKind(tuple, 'tuple'), () => `${where} has ${describe(tuple)} for its shape or strides`);
  const sizes = tuple.items;
  bad(
    sizes.length <= MAX_DIMENSIONS,
    () => `${where} has ${sizes.length} dimensions, the limit is ${MAX_DIMENSIONS}`,
  );
  bad(
    sizes.every(isCount),
    () => `${where} has a size or stride that is not an integer from 0 to 2^53 − 1`,
  );
  return sizes;
}

/** Every element must lie inside the storage. */
function checkView({ dtype, shape, strides, offset, storage }: TensorView, where: string): void {
  const what = () =>
    `${where}, ${dtype} ${show(shape)} with strides ${show(strides)} from ${offset} on,`;
  bad(strides.length === shape.length, () => `${what()} has not as many strides as dimensions`);
  const elements = elementCount(shape);
  bad(
    elements * DTYPE_BYTES[dtype] <= Number.MAX_SAFE_INTEGER,
    () => `${what()} takes more than 2^53 bytes`,
  );
  const last = shape.reduce((sum, size, i) => sum + (size - 1) * strides[i], offset);
  const end = elements === 0 ? offset : last + 1;
  const available = storage.byteLength / DTYPE_BYTES[dtype];
  bad(
    end <= available,
    () => `${what()} needs ${end} elements of its storage, which has ${available}`,
  );
  check(
    !isOverlapping(shape, strides),
    'UNSUPPORTED',
    () => `${what()} overlaps itself; save tensor.contiguous()`,
  );
}

function isCall(value: PickleValue | undefined, callee: string): value is PickleCall {
  return isKind(value, 'call') && value.callee === callee;
}

const isEmpty = (value: PickleValue | undefined): boolean =>
  isKind(value, 'dict') && value.entries.length === 0;

const isCount = (value: PickleValue | undefined): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

function bad(condition: boolean, message: () => string): asserts condition {
  check(condition, 'BAD_CHECKPOINT', message);
}
