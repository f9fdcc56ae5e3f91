import { describe, expect, it } from 'vitest';
import { unpickle } from '../../../src/files/pytorch/pickle.js';
import { OPCODES } from '../../../src/files/pytorch/pickle-opcodes.js';
import { expectRefused } from '../helpers.js';
import {
  APPEND,
  BINPERSID,
  BUILD,
  type Bytes,
  call,
  dict,
  EMPTY_DICT,
  EMPTY_LIST,
  EMPTY_TUPLE,
  get,
  global,
  int,
  list,
  longGet,
  longPut,
  MARK,
  NONE,
  orderedDict,
  pickleOf,
  put,
  REDUCE,
  SETITEM,
  STOP,
  text,
  tuple,
} from './pickle-support.js';

const GLOBALS = new Set(['collections.OrderedDict', 'm.f']);
const F = global('m', 'f');
const load = (bytes: Uint8Array) => unpickle(bytes, GLOBALS, 'data.pkl');
const loadParts = (...parts: readonly Bytes[]) => load(pickleOf(...parts));

async function refused(
  bytes: Uint8Array,
  code: 'BAD_CHECKPOINT' | 'UNSUPPORTED',
  ...words: string[]
): Promise<void> {
  await expectRefused((async () => load(bytes))(), code, 'data.pkl, byte ', ...words);
}

const tupleOf = (...items: unknown[]) => ({ kind: 'tuple', items });
const listOf = (...items: unknown[]) => ({ kind: 'list', items });
const dictOf = (ordered: boolean, ...entries: unknown[]) => ({ kind: 'dict', ordered, entries });

it.each<[string, string, unknown]>([
  ['None', '80024e2e', null],
  ['True', '8002882e', true],
  ['False', '8002892e', false],
  ['255', '80024bff2e', 255],
  ['65535', '80024dffff2e', 65535],
  ['65536', '80024a000001002e', 65536],
  ['-1', '80024affffffff2e', -1],
  ['-2**31', '80024a000000802e', -(2 ** 31)],
  ['2**31', '80028a0500000080002e', 2 ** 31],
  ['2**53 - 1', '80028a07ffffffffffff1f2e', 2 ** 53 - 1],
  ['-2**40', '80028a060000000000ff2e', -(2 ** 40)],
  ['1.5', '8002473ff80000000000002e', 1.5],
  ["'é'", '80025802000000c3a971002e', 'é'],
  ['()', '8002292e', tupleOf()],
  ['(1,)', '80024b018571002e', tupleOf(1)],
  ['(1, 2)', '80024b014b028671002e', tupleOf(1, 2)],
  ['(1, 2, 3)', '80024b014b024b038771002e', tupleOf(1, 2, 3)],
  ['(1, 2, 3, 4)', '8002284b014b024b034b047471002e', tupleOf(1, 2, 3, 4)],
  ['[1]', '80025d71004b01612e', listOf(1)],
  ['[1, 2]', '80025d7100284b014b02652e', listOf(1, 2)],
  ['{1: 2}', '80027d71004b014b02732e', dictOf(false, [1, 2])],
  ['{1: 2, 3: 4}', '80027d7100284b014b024b034b04752e', dictOf(false, [1, 2], [3, 4])],
  [
    'OrderedDict()',
    '800263636f6c6c656374696f6e730a4f726465726564446963740a7100295271012e',
    dictOf(true),
  ],
  ["('a', 'a'), protocol 4", '80049509000000000000008c016194680086942e', tupleOf('a', 'a')],
  [
    "OrderedDict({'a': 1}), protocol 4",
    '80049529000000000000008c0b636f6c6c656374696f6e73948c0b4f72646572656444696374949394' +
      '2952948c0161944b01732e',
    dictOf(true, ['a', 1]),
  ],
  ['[], protocol 4', '80045d942e', listOf()],
  ["'é', protocol 4", '80049506000000000000008c02c3a9942e', 'é'],
])("reads %s as Python's pickle.dumps writes it", (_, hex, value) => {
  expect(load(Buffer.from(hex, 'hex'))).toEqual(value);
});

describe('reads', () => {
  it('a call as its description', () => {
    expect(loadParts(call(F, int(1), text('x')))).toEqual({
      kind: 'call',
      callee: 'm.f',
      args: [1, 'x'],
    });
  });

  it('NEWOBJ as REDUCE', () => {
    expect(loadParts(F, EMPTY_TUPLE, [0x81])).toEqual({ kind: 'call', callee: 'm.f', args: [] });
  });

  it('a persistent id, and a global', () => {
    expect(loadParts(F, BINPERSID)).toEqual({
      kind: 'reference',
      id: { kind: 'global', name: 'm.f' },
    });
  });

  it('a string of Python 2', () => {
    expect(loadParts([0x55, 2, 0x61, 0x62])).toBe('ab');
  });

  it('a memo with gaps, up to its last index', () => {
    expect(loadParts(int(7), longPut(2 ** 32 - 1), longGet(2 ** 32 - 1), [0x86])).toEqual(
      tupleOf(7, 7),
    );
  });

  it('an OrderedDict with _metadata, which it leaves alone', () => {
    const metadata = dict(text('_metadata'), dict(text(''), dict(text('version'), int(1))));
    expect(loadParts(orderedDict, text('a'), int(1), SETITEM, metadata, BUILD)).toEqual(
      dictOf(true, ['a', 1]),
    );
  });

  it('a list that contains itself', () => {
    const value = load(Buffer.from('80025d71006800612e', 'hex')) as { items: unknown[] };
    expect(value.items).toHaveLength(1);
    expect(value.items[0]).toBe(value);
  });

  it('a tuple in a tuple in a tuple, 100,000 deep', () => {
    expect(loadParts(NONE, Array(100_000).fill(0x85))).toMatchObject({ kind: 'tuple' });
  });

  it('in 2,000 steps what would have 2^1000 elements', () => {
    const doubled = Array.from({ length: 1000 }, () => [...put(0), ...get(0), 0x86]).flat();
    expect(loadParts(EMPTY_TUPLE, doubled)).toMatchObject({ kind: 'tuple' });
  });
});

describe('refuses by name, and executes nothing:', () => {
  const nothing = 'nothing was executed';
  it.each<[string, Bytes]>([
    ['os.system', call(global('os', 'system'), text('touch /tmp/owned'))],
    ['posix.system', call(global('posix', 'system'), text('id'))],
    ['nt.system', call(global('nt', 'system'), text('dir'))],
    ['builtins.eval', call(global('builtins', 'eval'), text('1'))],
    ['builtins.exec', call(global('builtins', 'exec'), text('1'))],
    ['builtins.getattr', call(global('builtins', 'getattr'), F, text('x'))],
    ['__builtin__.eval', call(global('__builtin__', 'eval'), text('1'))],
    ['subprocess.Popen', call(global('subprocess', 'Popen'), tuple(text('sh')))],
    ['torch.load', call(global('torch', 'load'), text('other.bin'))],
    ['torch.hub.load', call(global('torch.hub', 'load'), text('x'))],
    ['torch.jit._unwrap_optional', call(global('torch.jit', '_unwrap_optional'))],
    ['runpy._run_code', call(global('runpy', '_run_code'))],
    ['numpy.core.multiarray._reconstruct', global('numpy.core.multiarray', '_reconstruct')],
    ['collections.Counter', call(global('collections', 'Counter'))],
    ['m.f.__globals__', global('m', 'f.__globals__')],
    ['m.f\\r', global('m', 'f\r')],
    [' m.f', global(' m', 'f')],
    ['__proto__.x', global('__proto__', 'x')],
    ['os.system', [...text('os'), ...text('system'), 0x93]], // STACK_GLOBAL
  ])('%s', async (name, bytes) => {
    await refused(pickleOf(bytes), 'UNSUPPORTED', `"${name}"`, nothing);
  });

  const supported = new Set(
    (
      'PROTO STOP FRAME NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE ' +
      'SHORT_BINUNICODE SHORT_BINSTRING MARK EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3 TUPLE EMPTY_LIST ' +
      'APPEND APPENDS EMPTY_DICT SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET ' +
      'GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD BINPERSID'
    ).split(' '),
  );
  const others = Object.entries(OPCODES).filter(([, opcode]) => !supported.has(opcode));
  it.each(others)('opcode %i, %s', async (byte, opcode) => {
    await refused(
      pickleOf(F, EMPTY_TUPLE, [Number(byte), 0, 0, 0]),
      'UNSUPPORTED',
      'byte 8',
      opcode,
      nothing,
    );
  });
});

describe('refuses as broken', () => {
  it.each<[string, Bytes[], ...string[]]>([
    ['no value', [], '0 values'],
    ['two values', [NONE, NONE], '2 values'],
    ['a mark that is left', [NONE, MARK], '1 marks'],
    ['bytes after the end', [NONE, STOP], '1 bytes follow'],
    ['an opcode that does not exist', [[0]], 'byte 2', 'no opcode 0'],
    ['a tuple of nothing', [[0x85]], 'too few values'],
    ['a tuple of one instead of two', [NONE, [0x86]], 'too few values'],
    ['a tuple below a mark', [NONE, NONE, MARK, [0x86]], 'too few values'],
    ['a tuple without a mark', [NONE, [0x74]], 'no mark'],
    ['items without a list', [NONE, APPEND], 'too few values'],
    ['items for what is no list', [EMPTY_TUPLE, NONE, APPEND], 'a tuple, not a list'],
    [
      'items below a mark',
      [EMPTY_LIST, MARK, NONE, [0x74], ...[MARK, MARK, NONE], [0x65]],
      'too few values',
    ],
    ['an entry for what is no dict', [EMPTY_LIST, NONE, NONE, SETITEM], 'a list, not a dict'],
    ['an entry for a call', [call(F), NONE, NONE, SETITEM], 'a call of "m.f", not a dict'],
    ['a key without a value', [EMPTY_DICT, MARK, NONE, [0x75]], 'a key without a value'],
    ['an empty memo', [get(0)], 'memo at 0'],
    ['a memo of nothing', [put(0)], 'too few values'],
    ['a call of text', [text('os.system'), EMPTY_TUPLE, REDUCE], 'a call of "os.system"'],
    ['a call of a call', [call(F), EMPTY_TUPLE, REDUCE], 'a call of a call of "m.f"'],
    ['a call with a list', [F, EMPTY_LIST, REDUCE], 'a list for its arguments'],
    ['a global of numbers', [int(1), int(2), [0x93]], 'the name 1.2'],
    ['a global that is cut off', [[0x63, 0x6d]], 'cut off'],
    ['text that is not UTF-8', [[0x58, 1, 0, 0, 0, 0xff]], 'not UTF-8'],
    ['half a surrogate pair', [[0x58, 3, 0, 0, 0, 0xed, 0xa0, 0x80]], 'not UTF-8'],
    ['text of 4 GiB', [[0x58, 255, 255, 255, 255]], '4294967295 bytes needed'],
    ['an integer of 255 bytes', [[0x8a, 255]], '255 bytes', '2^53'],
    ['2^53', [int(2 ** 53)], '9007199254740992', '2^53'],
    ['a frame beyond the end', [[0x95, 0, 0, 0, 0, 0, 0, 0, 128]], '9223372036854775808 bytes'],
  ])('%s', async (_, parts, ...words) => {
    await refused(pickleOf(...parts), 'BAD_CHECKPOINT', ...words);
  });

  it.each([0, 1, 6, 255])('protocol %i', async protocol => {
    await refused(
      Uint8Array.of(0x80, protocol, ...NONE, ...STOP),
      'BAD_CHECKPOINT',
      `protocol ${protocol}`,
    );
  });

  it('what does not begin as a pickle', async () => {
    await refused(Buffer.from('(dp0\n.'), 'BAD_CHECKPOINT', 'byte 0', 'begins otherwise');
    await refused(new Uint8Array(), 'BAD_CHECKPOINT', '1 bytes needed, 0 left');
  });

  it('more than 1,048,576 operations, whatever they make', async () => {
    const many = new Uint8Array(2_000_000);
    for (const opcode of [EMPTY_DICT, EMPTY_LIST, MARK, NONE]) {
      many.fill(opcode[0]);
      many.set([0x80, 2]);
      await refused(many, 'BAD_CHECKPOINT', 'more than 1048576 operations');
    }
    many.fill(0x94).set([0x80, 2, ...NONE]); // MEMOIZE
    await refused(many, 'BAD_CHECKPOINT', 'more than 1048576 operations');
  });

  it('every prefix', async () => {
    const whole = pickleOf(
      orderedDict,
      list(int(2 ** 40), tuple(text('abc'), F)),
      put(3),
      longPut(70_000),
      NONE,
      SETITEM,
    );
    load(whole);
    for (let length = 0; length < whole.length; length++)
      await refused(whole.slice(0, length), 'BAD_CHECKPOINT');
  });
});

describe('attributes', () => {
  const state = dict(text('_metadata'), NONE);
  it.each<[string, Bytes[]]>([
    ['of another name', [orderedDict, dict(text('__class__'), F)]],
    ['of two names', [orderedDict, dict(text('_metadata'), NONE, text('x'), NONE)]],
    ['of a number', [orderedDict, dict(int(1), NONE)]],
    ['that are no dict', [orderedDict, tuple(state, state)]],
    ['for a dict', [EMPTY_DICT, state]],
    ['for a call', [call(F), state]],
    ['for a function', [F, state]],
  ])('%s are refused', async (_, parts) => {
    await refused(pickleOf(...parts, BUILD), 'UNSUPPORTED', 'attributes of', '_metadata');
  });
});
