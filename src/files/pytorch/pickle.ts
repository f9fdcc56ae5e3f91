/**
 * Python's pickle, as much of it as checkpoints of weights need. A pickle is a program for a
 * machine with a stack and a memo, and can call any function of Python. Here it can only describe
 * calls, of functions on a list; whatever is not needed is refused by name.
 *
 * Opcodes: those that `torch.load(weights_only=True)` knows (torch/_weights_only_unpickler.py), but
 * EMPTY_SET, which nothing could be put into; and the four that protocol 4 adds for the same
 * things.
 */

import { check, LlamaError, show } from '../../base/errors.js';
import type { Opcode } from './pickle-opcodes.js';
import { PickleReader } from './pickle-reader.js';
import { describe, isKind, type PickleTuple, type PickleValue } from './pickle-values.js';

/**
 * No operation makes more than one value or puts more than one into the memo, so this bounds stack,
 * memo and containers. PyTorch needs some 40 operations for a tensor: this is enough for 25,000.
 */
const MAX_OPERATIONS = 2 ** 20;

const ORDERED_DICT = 'collections.OrderedDict';
/** What `state_dict()` gives the OrderedDict besides its items: the versions of modules. */
const IGNORED_ATTRIBUTE = '_metadata';

const NOTHING_EXECUTED =
  'nothing was executed. If you trust the file, load it with PyTorch and save ' +
  'model.state_dict() alone';

/**
 * The value that the pickle `bytes` describes.
 * @param globals full names of the functions and classes that may be mentioned, such as
 * "collections.OrderedDict"
 * @param file what `bytes` are, for messages
 * @throws {LlamaError} UNSUPPORTED for another function or an opcode that weights do not need,
 * BAD_CHECKPOINT if it is broken.
 */
export function unpickle(
  bytes: Uint8Array,
  globals: ReadonlySet<string>,
  file: string,
): PickleValue {
  return new Unpickler(new PickleReader(bytes, file), globals).run();
}

class Unpickler {
  readonly #reader: PickleReader;
  readonly #globals: ReadonlySet<string>;
  readonly #stack: PickleValue[] = [];
  /** The heights of the stack at which marks were set. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();

  readonly #operations: Readonly<Partial<Record<Opcode, () => void>>> = {
    NONE: () => this.#push(null),
    NEWTRUE: () => this.#push(true),
    NEWFALSE: () => this.#push(false),
    BININT: () => this.#push(this.#reader.int32()),
    BININT1: () => this.#push(this.#reader.uint8()),
    BININT2: () => this.#push(this.#reader.uint16()),
    LONG1: () => this.#push(this.#reader.integer(this.#reader.uint8())),
    BINFLOAT: () => this.#push(this.#reader.float64()),
    BINUNICODE: () => this.#push(this.#reader.text(this.#reader.uint32())),
    SHORT_BINUNICODE: () => this.#push(this.#reader.text(this.#reader.uint8())),
    SHORT_BINSTRING: () => this.#push(this.#reader.text(this.#reader.uint8())),

    MARK: () => this.#marks.push(this.#stack.length),
    EMPTY_TUPLE: () => this.#push(tuple([])),
    TUPLE1: () => this.#push(tuple(this.#pop(1))),
    TUPLE2: () => this.#push(tuple(this.#pop(2))),
    TUPLE3: () => this.#push(tuple(this.#pop(3))),
    TUPLE: () => this.#push(tuple(this.#popToMark())),
    EMPTY_LIST: () => this.#push({ kind: 'list', items: [] }),
    APPEND: () => this.#append(this.#pop(1)),
    APPENDS: () => this.#append(this.#popToMark()),
    EMPTY_DICT: () => this.#push({ kind: 'dict', ordered: false, entries: [] }),
    SETITEM: () => this.#setItems(this.#pop(2)),
    SETITEMS: () => this.#setItems(this.#popToMark()),

    BINPUT: () => this.#memoize(this.#reader.uint8()),
    LONG_BINPUT: () => this.#memoize(this.#reader.uint32()),
    MEMOIZE: () => this.#memoize(this.#memo.size),
    BINGET: () => this.#recall(this.#reader.uint8()),
    LONG_BINGET: () => this.#recall(this.#reader.uint32()),

    GLOBAL: () => this.#pushGlobal(this.#reader.line(), this.#reader.line()),
    STACK_GLOBAL: () => this.#pushGlobal(...this.#popPair()),
    REDUCE: () => this.#call(...this.#popPair()),
    NEWOBJ: () => this.#call(...this.#popPair()),
    BUILD: () => this.#setAttributes(this.#pop(1)[0]),
    BINPERSID: () => this.#push({ kind: 'reference', id: this.#pop(1)[0] }),
    FRAME: () => this.#checkFrame(),
  };

  constructor(reader: PickleReader, globals: ReadonlySet<string>) {
    this.#reader = reader;
    this.#globals = globals;
  }

  run(): PickleValue {
    this.#reader.check(
      this.#reader.opcode() === 'PROTO',
      () => 'a pickle of protocol 2 to 5 begins otherwise',
    );
    const protocol = this.#reader.uint8();
    this.#reader.check(
      protocol >= 2 && protocol <= 5,
      () => `a pickle of protocol ${protocol}, not 2 to 5`,
    );
    for (let operations = 1; operations <= MAX_OPERATIONS; operations++) {
      const opcode = this.#reader.opcode();
      if (opcode === 'STOP') return this.#result();
      const operation = this.#operations[opcode];
      check(
        operation !== undefined,
        'UNSUPPORTED',
        () =>
          `${this.#reader.where}: the opcode ${opcode}, which weights do not need; ` +
          `${NOTHING_EXECUTED}`,
      );
      operation();
    }
    throw new LlamaError(
      'BAD_CHECKPOINT',
      `${this.#reader.where}: more than ${MAX_OPERATIONS} operations, the limit; is it a ` +
        'checkpoint of weights?',
    );
  }

  #result(): PickleValue {
    const [values, marks, remaining] = [
      this.#stack.length,
      this.#marks.length,
      this.#reader.remaining,
    ];
    this.#reader.check(
      values === 1 && marks === 0,
      () => `the pickle stops with ${values} values and ${marks} marks`,
    );
    this.#reader.check(remaining === 0, () => `${remaining} bytes follow the end of the pickle`);
    return this.#stack[0];
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** The upper `count` values, the uppermost last. Those below a mark are out of reach. */
  #pop(count: number): PickleValue[] {
    this.#need(count);
    return this.#stack.splice(-count);
  }

  #top(): PickleValue {
    this.#need(1);
    return this.#stack[this.#stack.length - 1];
  }

  #need(count: number): void {
    const floor = this.#marks.at(-1) ?? 0;
    this.#reader.check(this.#stack.length - count >= floor, () => 'too few values on the stack');
  }

  #popPair(): [PickleValue, PickleValue] {
    const [lower, upper] = this.#pop(2);
    return [lower, upper];
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    this.#reader.check(mark !== undefined, () => 'no mark on the stack');
    return this.#stack.splice(mark);
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    this.#reader.check(isKind(list, 'list'), () => `items for ${describe(list)}, not a list`);
    for (const item of items) list.items.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    this.#reader.check(isKind(dict, 'dict'), () => `items for ${describe(dict)}, not a dict`);
    this.#reader.check(items.length % 2 === 0, () => 'a key without a value');
    for (let i = 0; i < items.length; i += 2) dict.entries.push([items[i], items[i + 1]]);
  }

  #memoize(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    this.#reader.check(value !== undefined, () => `nothing is in the memo at ${index}`);
    this.#push(value);
  }

  #pushGlobal(module: PickleValue, name: PickleValue): void {
    this.#reader.check(
      typeof module === 'string' && typeof name === 'string',
      () => `a global with the name ${describe(module)}.${describe(name)}`,
    );
    const fullName = `${module}.${name}`;
    check(
      this.#globals.has(fullName),
      'UNSUPPORTED',
      () =>
        `${this.#reader.where}: ${show(fullName)}, which weights do not need; ${NOTHING_EXECUTED}`,
    );
    this.#push({ kind: 'global', name: fullName });
  }

  /**
   * Describes the call; but an OrderedDict without arguments is what it would be, so that it can be
   * filled.
   */
  #call(callee: PickleValue, args: PickleValue): void {
    this.#reader.check(
      isKind(callee, 'global'),
      () => `a call of ${describe(callee)}, not of a global`,
    );
    this.#reader.check(
      isKind(args, 'tuple'),
      () => `a call with ${describe(args)} for its arguments, not a tuple`,
    );
    const isEmptyDict = callee.name === ORDERED_DICT && args.items.length === 0;
    this.#push(
      isEmptyDict
        ? { kind: 'dict', ordered: true, entries: [] }
        : { kind: 'call', callee: callee.name, args: args.items },
    );
  }

  /** How many bytes follow until the next frame: a hint for reading from a pipe. */
  #checkFrame(): void {
    const reader: PickleReader = this.#reader;
    const bytes = reader.uint64();
    reader.check(
      bytes <= reader.remaining,
      () => `a frame of ${bytes} bytes, ${reader.remaining} left`,
    );
  }

  #setAttributes(state: PickleValue): void {
    const target = this.#top();
    const isIgnored =
      isKind(target, 'dict') &&
      target.ordered &&
      isKind(state, 'dict') &&
      state.entries.every(([name]) => name === IGNORED_ATTRIBUTE);
    check(
      isIgnored,
      'UNSUPPORTED',
      () =>
        `${this.#reader.where}: attributes of ${describe(target)}; only ${IGNORED_ATTRIBUTE} of ` +
        'an OrderedDict is known',
    );
  }
}

const tuple = (items: readonly PickleValue[]): PickleTuple => ({ kind: 'tuple', items });
