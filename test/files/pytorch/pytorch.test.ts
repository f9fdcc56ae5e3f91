import { describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../../src/base/errors.js';
import { openPytorch } from '../../../src/files/pytorch/pytorch.js';
import { memorySource } from '../../../src/files/source.js';
import { expectRefused, watched } from '../helpers.js';
import { type ZipSpec, zipOf } from '../zip/zip-support.js';
import {
  APPEND,
  BINPERSID,
  type Bytes,
  bytesOf,
  call,
  checkpointOf,
  dict,
  EMPTY_LIST,
  EMPTY_TUPLE,
  filesOf,
  get,
  global,
  int,
  ints,
  list,
  NONE,
  NUMBERS,
  orderedDict,
  pickleOf,
  put,
  REDUCE,
  SETITEM,
  storageClass,
  type TensorSpec,
  TRUE,
  tensor,
  text,
  tuple,
} from './pickle-support.js';

const open = (file: Uint8Array) => openPytorch(memorySource(file, 'model.bin'));
const openPickle = (pickle: Uint8Array) => open(checkpointOf(pickle));
const openTensor = (spec: TensorSpec) => openPickle(pickleOf(dict(text('a'), tensor(spec))));
const REBUILD_PARAMETER = global('torch._utils', '_rebuild_parameter');
const parameter = (value: Bytes) => call(REBUILD_PARAMETER, value, TRUE, orderedDict);
const GOOD = pickleOf(dict(text('a'), tensor()));

describe('reads', () => {
  it('a tensor of complex numbers beside the weights, but not its numbers', async () => {
    const complex = tensor({ storage: storageClass('ComplexFloatStorage') });
    const file = checkpointOf(pickleOf(dict(text('freqs_cis'), complex)), { 0: Buffer.alloc(48) });
    const tensors = [...(await open(file)).tensors.values()];
    expect(tensors).toMatchObject([{ name: 'freqs_cis', dtype: 'C64', byteLength: 48 }]);
    await expectRefused(tensors[0].read(), 'UNSUPPORTED', 'C64');
  });

  it('a tensor in place: opening reads no numbers, and reading nothing else', async () => {
    const source = watched(checkpointOf(GOOD, { 0: bytesOf(NUMBERS) }), 'model.bin');
    const { name, tensors, close } = await openPytorch(source);
    expect(name).toBe('model.bin');
    expect([...tensors.values()]).toMatchObject([
      { name: 'a', dtype: 'F32', shape: [2, 3], byteLength: 24 },
    ]);
    source.bytesRead = 0;
    expect(await tensors.get('a')!.read()).toEqual(NUMBERS);
    expect(await tensors.get('a')!.read(1, 1)).toEqual(NUMBERS.slice(3));
    expect(source.bytesRead).toBe(24 + 12);
    await close();
    expect(source.closed).toBe(1);
  });

  it('tensors in the order of the file, whatever that of the pickle', async () => {
    const pickle = pickleOf(dict(text('b'), tensor({ key: text('1') }), text('a'), tensor()));
    const { tensors } = await open(
      checkpointOf(pickle, { 0: bytesOf(NUMBERS), 1: bytesOf(NUMBERS) }),
    );
    expect([...tensors.keys()]).toEqual(['a', 'b']);
  });

  it.each<[string, Bytes]>([
    ['an OrderedDict', [...orderedDict, ...text('a'), ...tensor(), ...SETITEM]],
    [
      'a size that is a torch.Size',
      dict(text('a'), tensor({ size: call(global('torch', 'Size'), ints(2, 3)) })),
    ],
    ['a parameter', dict(text('a'), parameter(tensor()))],
    ['metadata that is empty', dict(text('a'), tensor({ more: [dict()] }))],
    ['metadata that is None', dict(text('a'), tensor({ more: [NONE] }))],
    [
      'a dtype for a storage of bytes',
      dict(
        text('a'),
        tensor({
          rebuild: '_rebuild_tensor_v3',
          storage: global('torch.storage', 'UntypedStorage'),
          numel: 24,
          more: [global('torch', 'float32')],
        }),
      ),
    ],
  ])('%s', async (_, pickle) => {
    const { tensors } = await openPickle(pickleOf(pickle));
    expect([...tensors.keys()]).toEqual(['a']);
    expect(await tensors.get('a')!.read()).toEqual(NUMBERS);
  });

  it('a file of PyTorch before 2.1: without byteorder, and with another directory', async () => {
    const files = filesOf(GOOD).filter(({ name }) => !/byteorder|serialization/.test(String(name)));
    const renamed = files.map(file => ({
      ...file,
      name: String(file.name).replace('archive', 'pytorch_model-00001-of-00002'),
    }));
    expect(await (await open(zipOf(renamed))).tensors.get('a')!.read()).toEqual(NUMBERS);
  });

  it('two tensors of one storage, one of them in part', async () => {
    const part = tensor({ offset: int(2), size: ints(3), stride: ints(1) });
    const { tensors } = await openPickle(pickleOf(dict(text('a'), tensor(), text('b'), part)));
    expect(await tensors.get('b')!.read()).toEqual(Float32Array.of(3, 4, 5));
  });
});

describe('a broken file is closed, and refused: ', () => {
  it.each<[string, Uint8Array, LlamaErrorCode, ...string[]]>([
    ['empty', new Uint8Array(), 'BAD_CHECKPOINT', 'is empty'],
    [
      'a pointer of git-lfs',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:4d\n'),
      'BAD_CHECKPOINT',
      'git lfs pull',
    ],
    [
      'a web page',
      Buffer.from('<!DOCTYPE html>\n<html lang="en">'),
      'BAD_CHECKPOINT',
      'web page',
      'fetch it again',
    ],
    ['another web page', Buffer.from('\n<html>'), 'BAD_CHECKPOINT', 'web page'],
    [
      'an answer of a server',
      Buffer.from('{"error":"Entry not found"}'),
      'BAD_CHECKPOINT',
      'is text',
      'Entry not found',
    ],
    [
      'safetensors',
      Buffer.from('@\0\0\0\0\0\0\0{"a"'),
      'BAD_CHECKPOINT',
      'does not begin as a zip archive',
    ],
    ['a bare pickle', GOOD, 'BAD_CHECKPOINT', 'does not begin as a zip archive'],
    ['cut off', checkpointOf(GOOD).slice(0, -1), 'BAD_CHECKPOINT', 'cut off', 'fetch it again'],
  ])('%s', async (_, file, code, ...words) => {
    const source = watched(file, 'model.bin');
    await expectRefused(openPytorch(source), code, 'model.bin', ...words);
    expect(source.closed).toBe(1);
  });
});

describe('refuses files', () => {
  const without = (name: string) => filesOf(GOOD).filter(file => file.name !== `archive/${name}`);
  const changed = (name: string, data: string) => [
    ...without(name),
    { name: `archive/${name}`, data: Buffer.from(data) },
  ];
  it.each<[string, ZipSpec[], LlamaErrorCode, ...string[]]>([
    ['without data.pkl', without('data.pkl'), 'BAD_CHECKPOINT', 'no "data.pkl"'],
    ['without version', without('version'), 'BAD_CHECKPOINT', 'no "version"'],
    ['without the storage', without('data/0'), 'BAD_CHECKPOINT', 'no "data/0"'],
    ['of a later version', changed('version', '11\n'), 'UNSUPPORTED', 'version "11"', '1 to 10'],
    ['of no version', changed('version', 'x'), 'UNSUPPORTED', 'version "x"'],
    ['of version 0', changed('version', '0'), 'UNSUPPORTED', 'version "0"'],
    [
      'of a long version',
      changed('version', '3'.repeat(65)),
      'BAD_CHECKPOINT',
      '65 bytes',
      'limit is 64',
    ],
    [
      'big-endian',
      changed('byteorder', 'big'),
      'UNSUPPORTED',
      'byte order "big"',
      'little-endian computer',
    ],
    [
      'with a storage of another size',
      changed('data/0', 'short'),
      'BAD_CHECKPOINT',
      '"a" needs 24 bytes',
      'has 5',
    ],
    [
      'with two directories',
      [...filesOf(GOOD), { name: 'other/data/1' }],
      'BAD_CHECKPOINT',
      '"other/data/1" is not in',
      '"archive"',
    ],
    [
      'with no directory',
      filesOf(GOOD).map(file => ({ ...file, name: String(file.name).slice(8) })),
      'BAD_CHECKPOINT',
      'is not in the directory',
    ],
    [
      'TorchScript',
      [...filesOf(GOOD), { name: 'archive/constants.pkl' }],
      'UNSUPPORTED',
      '"constants.pkl"',
      'TorchScript',
    ],
    [
      'with a folder of storages',
      [...filesOf(GOOD), { name: 'archive/data/0/1' }],
      'UNSUPPORTED',
      '"data/0/1"',
    ],
    [
      'with a pickle of 80 MB',
      [
        { name: 'a/data.pkl', data: 80e6 },
        { name: 'a/version', data: Buffer.from('3') },
      ],
      'BAD_CHECKPOINT',
      '80000000 bytes',
      'limit is 67108864',
    ],
    ['with no file at all', [], 'BAD_CHECKPOINT', 'does not begin as a zip'],
  ])('%s', async (_, files, code, ...words) => {
    await expectRefused(open(zipOf(files)), code, 'model.bin', ...words);
  });
});

describe('refuses what is not a dict of tensors:', () => {
  const saveAlone = 'torch.save(model.state_dict(), …)';
  it.each<[string, Bytes, ...string[]]>([
    ['a tensor', tensor(), 'a call of "torch._utils._rebuild_tensor_v2"', saveAlone],
    ['a list of tensors', list(tensor()), 'a list', saveAlone],
    ['None', NONE, 'null'],
    [
      'a checkpoint of a training',
      dict(text('state_dict'), dict(text('a'), tensor())),
      'holds no tensors, but state_dict',
      saveAlone,
    ],
    ['text', dict(text('a'), text('b')), 'holds no tensors, but a', saveAlone],
    ['a dtype', dict(text('a'), global('torch', 'float16')), 'holds no tensors, but a'],
    [
      'a storage',
      dict(text('a'), [...tuple(text('storage')), ...BINPERSID]),
      'holds no tensors, but a',
    ],
    ['a name that is a number', dict(int(1), tensor()), 'the name 1, which is not text'],
    ['a name twice', dict(text('a'), tensor(), text('a'), tensor()), '"a" comes twice'],
    [
      'a parameter of a parameter',
      dict(text('a'), parameter(parameter(tensor()))),
      'a call of "torch._utils._rebuild_parameter", not a tensor',
    ],
    ['a parameter of a number', dict(text('a'), parameter(int(1))), '"a" is 1, not a tensor'],
    [
      'a parameter of nothing',
      dict(text('a'), call(REBUILD_PARAMETER)),
      'is not what torch._utils._rebuild_parameter takes',
    ],
    [
      'a parameter without hooks',
      dict(text('a'), call(REBUILD_PARAMETER, tensor(), TRUE)),
      '"a"',
      'takes',
    ],
    ['a list in itself', [...EMPTY_LIST, ...put(0), ...get(0), ...APPEND], 'a list'],
    [
      'a dict in itself',
      [...dict(), ...put(0), ...text('a'), ...get(0), ...SETITEM],
      'holds no tensors, but a',
    ],
  ])('%s', async (_, pickle, ...words) => {
    await expectRefused(
      openPickle(pickleOf(pickle)),
      'BAD_CHECKPOINT',
      'model.bin: data.pkl',
      ...words,
    );
  });

  it('os.system', async () => {
    const evil = call(global('posix', 'system'), text('echo owned'));
    await expectRefused(
      openPickle(pickleOf(dict(text('a'), evil))),
      'UNSUPPORTED',
      'model.bin: data.pkl',
      '"posix.system"',
    );
  });
});

describe('refuses a tensor', () => {
  const untyped = global('torch.storage', 'UntypedStorage');
  const storageOf = (...items: Bytes[]) => tuple(...items);
  it.each<[string, TensorSpec, LlamaErrorCode, ...string[]]>([
    [
      'of too many elements',
      { size: ints(2, 4), stride: ints(4, 1) },
      'BAD_CHECKPOINT',
      'needs 8 elements',
      'has 6',
    ],
    ['that begins too late', { offset: int(1) }, 'BAD_CHECKPOINT', 'needs 7 elements'],
    ['with a stride too long', { stride: ints(4, 1) }, 'BAD_CHECKPOINT', 'needs 7 elements'],
    [
      'that is empty, behind the end',
      { offset: int(7), size: ints(0, 3) },
      'BAD_CHECKPOINT',
      'needs 7 elements',
    ],
    ['with an offset of 2^53 − 1', { offset: int(2 ** 53 - 1) }, 'BAD_CHECKPOINT', 'elements'],
    [
      'with a negative offset',
      { offset: int(-1) },
      'BAD_CHECKPOINT',
      'is not what torch._utils._rebuild_tensor_v2 takes',
    ],
    ['with a negative stride', { stride: ints(-3, 1) }, 'BAD_CHECKPOINT', 'size or stride'],
    ['with a negative size', { size: ints(-2, 3) }, 'BAD_CHECKPOINT', 'size or stride'],
    ['with strides of 2^52', { stride: ints(2 ** 52, 2 ** 52) }, 'BAD_CHECKPOINT', 'elements'],
    [
      'with sizes of 2^52, repeated',
      { size: ints(2 ** 52, 2 ** 52), stride: ints(0, 0) },
      'BAD_CHECKPOINT',
      'more than 2^53 bytes',
    ],
    [
      'with sizes beyond all numbers, and 0',
      {
        size: tuple(...Array(30).fill(int(2 ** 52)), int(0)),
        stride: tuple(...Array(31).fill(int(0))),
      },
      'BAD_CHECKPOINT',
      'more than 2^53 bytes',
    ],
    [
      'of 65 dimensions',
      { size: tuple(...Array(65).fill(int(1))), stride: tuple(...Array(65).fill(int(1))) },
      'BAD_CHECKPOINT',
      '65 dimensions',
      'limit is 64',
    ],
    [
      'with fewer strides than sizes',
      { stride: ints(1) },
      'BAD_CHECKPOINT',
      'as many strides as dimensions',
    ],
    [
      'with more strides than sizes',
      { stride: ints(3, 1, 1) },
      'BAD_CHECKPOINT',
      'as many strides as dimensions',
    ],
    [
      'with a size that is a list',
      { size: list(int(2), int(3)) },
      'BAD_CHECKPOINT',
      'a list for its shape',
    ],
    [
      'with a size that is text',
      { size: tuple(text('2'), text('3')) },
      'BAD_CHECKPOINT',
      'size or stride',
    ],
    [
      'that overlaps itself',
      { size: ints(2, 3), stride: ints(1, 1) },
      'UNSUPPORTED',
      'overlaps itself',
      'tensor.contiguous()',
    ],
    [
      'that is interleaved',
      { size: ints(2, 2), stride: ints(2, 2) },
      'UNSUPPORTED',
      'overlaps itself',
    ],
    [
      'that is to be negated',
      { more: [dict(text('neg'), TRUE)] },
      'UNSUPPORTED',
      'conjugated or negated',
    ],
    ['with one argument more', { more: [dict(), NONE] }, 'BAD_CHECKPOINT', 'takes'],
    [
      'with hooks',
      { hooks: [...orderedDict, ...int(1), ...NONE, ...SETITEM] },
      'BAD_CHECKPOINT',
      'takes',
    ],
    ['with a gradient that is a number', { requiresGrad: int(1) }, 'BAD_CHECKPOINT', 'takes'],
    [
      'of quantized numbers',
      { storage: storageClass('QInt8Storage') },
      'UNSUPPORTED',
      '"torch.QInt8Storage"',
    ],
    [
      'of a function for a storage',
      { storage: global('collections', 'OrderedDict') },
      'BAD_CHECKPOINT',
      'the class "collections.OrderedDict"',
    ],
    [
      'of a storage without a dtype',
      { storage: untyped, numel: 24 },
      'BAD_CHECKPOINT',
      'storage of bytes and the dtype undefined',
    ],
    [
      'of a storage with two dtypes',
      { rebuild: '_rebuild_tensor_v3', more: [global('torch', 'float32')] },
      'BAD_CHECKPOINT',
      'storage of F32 and the dtype "torch.float32"',
    ],
    [
      'of a dtype that is none',
      {
        rebuild: '_rebuild_tensor_v3',
        storage: untyped,
        numel: 24,
        more: [global('torch', 'Size')],
      },
      'BAD_CHECKPOINT',
      'the dtype "torch.Size"',
    ],
    [
      'of another kind of reference',
      { id: storageOf(text('module'), NONE, NONE, NONE, NONE) },
      'BAD_CHECKPOINT',
      'a reference for a storage',
    ],
    [
      'of a reference that is a number',
      { id: int(7) },
      'BAD_CHECKPOINT',
      'a reference for a storage',
    ],
    [
      'of a view of a storage',
      {
        id: storageOf(
          text('storage'),
          storageClass('FloatStorage'),
          text('0'),
          text('cpu'),
          int(6),
          NONE,
        ),
      },
      'BAD_CHECKPOINT',
      'for a storage',
    ],
    [
      'of a storage without a size',
      {
        id: storageOf(text('storage'), storageClass('FloatStorage'), text('0'), text('cpu'), NONE),
      },
      'BAD_CHECKPOINT',
      'without key or size',
    ],
    [
      'of a storage with a number for a key',
      { key: int(0) },
      'BAD_CHECKPOINT',
      'without key or size',
    ],
    [
      'of a storage outside',
      { key: text('../data.pkl') },
      'BAD_CHECKPOINT',
      'no "data/../data.pkl"',
    ],
    [
      'of a storage that says another size',
      { numel: 7 },
      'BAD_CHECKPOINT',
      '"a" needs 28 bytes of "data/0", which has 24',
    ],
  ])('%s', async (_, spec, code, ...words) => {
    await expectRefused(openTensor(spec), code, 'model.bin', ...words);
  });

  it.each([
    '_rebuild_qtensor',
    '_rebuild_sparse_tensor',
    '_rebuild_parameter_with_state',
    '_rebuild_tensor',
  ])('that %s makes', async rebuild => {
    await expectRefused(
      openTensor({ rebuild }),
      'UNSUPPORTED',
      `"torch._utils.${rebuild}"`,
      'nothing was executed',
    );
  });

  it('that has no arguments', async () => {
    const rebuild = [...global('torch._utils', '_rebuild_tensor_v2'), ...EMPTY_TUPLE, ...REDUCE];
    await expectRefused(openPickle(pickleOf(dict(text('a'), rebuild))), 'BAD_CHECKPOINT', 'takes');
  });
});
