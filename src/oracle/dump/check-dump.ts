/**
 * Tensors of another implementation, checked: each is one of ours by its name, has a shape that it
 * can have, and is laid out as a trace has it. Whether the numbers are right is another matter.
 */
import { check, LlamaError, show } from '../../base/errors.js';
import { elementCount, type Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { type FloatDType, isFloatDType } from '../../model/dtypes.js';
import { tensorNames } from '../../model/trace.js';
import type { Given, GivenTensor, LoadedTensor } from './given.js';
import { type LaidOut, layOut, type Places } from './layout.js';
import { hasNeighbouringPairs, inHuggingFaceOrder } from './llama-cpp-names.js';
import { noteMissing } from './missing.js';
import { nameTensors } from './name-tensors.js';
import type { Names } from './names-file.js';
import { Notes } from './notes.js';
import { readText } from './text.js';

/** What another implementation computed. */
export interface Dump {
  /** Where it is from, for messages. */
  readonly source: string;
  /** [T] */
  readonly tokens: readonly number[];
  /** [P], in the order given; 0 … T − 1 if none are. */
  readonly positions: readonly number[];
  /** By the names of `src/model/trace.ts`, in the order of computation; logits are lm_head. */
  readonly tensors: ReadonlyMap<string, DumpTensor>;
  /** What was left out, translated or turned, and what is missing: a sentence each. */
  readonly notes: readonly string[];
}

/** A tensor of theirs, laid out as a trace has it. */
export interface DumpTensor extends LaidOut {
  readonly name: string;
  readonly theirName: string;
  /** The format in which it was given. */
  readonly dtype: FloatDType;
}

/** What is said of a dump besides. */
export interface DumpOptions {
  /** Of the text, if the dump has none. */
  readonly tokens?: readonly number[] | undefined;
  readonly names?: Names | undefined;
}

/**
 * @throws {LlamaError} TENSOR_MISMATCH for names and shapes that this model does not have;
 * BAD_INPUT for tokens, positions and numbers that cannot be meant; CONTEXT_OVERFLOW; UNSUPPORTED
 * for dtypes.
 */
export async function checkDump(
  given: Given,
  config: LlamaConfig,
  { tokens: asked, names = new Map() }: DumpOptions = {},
): Promise<Dump> {
  const { source } = given;
  const notes = new Notes();
  const named = nameTensors(given, config, names, notes);
  const present = tensorNames(config).filter(name => named.has(name));
  check(
    present.length > 0,
    'BAD_INPUT',
    () => `${source}: there is nothing to compare; add logits [P, V] or tensors of a trace`,
  );
  const { tokens, positions } = await readText(named, config, source, asked);
  const places = { all: [...tokens.keys()], positions };
  const tensors = new Map<string, DumpTensor>();
  for (const name of present) {
    const [first, ...others] = named.get(name) ?? [];
    const tensor = await readTensor(name, first, { source, config, places, notes });
    for (const other of others) {
      const again = await readTensor(name, other, { source, config, places, notes });
      checkSame(tensor, again, source);
    }
    tensors.set(name, tensor);
  }
  noteMissing(new Set(present), config, notes);
  return { source, tokens, positions, tensors, notes: [...given.notes, ...notes.sentences()] };
}

interface Reading {
  readonly source: string;
  readonly config: LlamaConfig;
  readonly places: Places;
  readonly notes: Notes;
}

async function readTensor(
  name: string,
  given: GivenTensor,
  { source, config, places, notes }: Reading,
): Promise<DumpTensor> {
  const where = `${source}: ${show(given.name)}`;
  const loaded = await given.load();
  const { dtype } = loaded;
  check(
    isFloatDType(dtype),
    'UNSUPPORTED',
    () => `${where} has the dtype ${dtype}; write ${name} as float32 or float64`,
  );
  checkNumbers(name, loaded, where, places.all.length);
  const laidOut = layOut(name, loaded, config, places, where, notes);
  const data = inOurOrder(name, given.name, laidOut.data, config, notes);
  return { ...laidOut, name, theirName: given.name, dtype, data };
}

function checkNumbers(
  name: string,
  { shape, data }: LoadedTensor,
  where: string,
  tokens: number,
): void {
  check(
    elementCount(shape) === data.length,
    'BAD_INPUT',
    () =>
      `${where} has ${data.length} numbers, and the shape ${show(shape)}; give as many as it says`,
  );
  check(
    data.length > 0,
    'BAD_INPUT',
    () => `${where} is empty, ${show(shape)}; write it after it was computed`,
  );
  const isOne = data.length === 1 || (tokens === 1 && name.endsWith('.probabilities'));
  check(
    isOne || !isConstant(data),
    'BAD_INPUT',
    () =>
      `${where} is ${data[0]} everywhere, ${show(shape)}; write it after it was computed, ` +
      'and copy it before its memory is used again',
  );
}

/** Whether all are one number. What is not finite is no number: that is for the comparison. */
const isConstant = (data: Floats): boolean =>
  Number.isFinite(data[0]) && data.every(x => x === data[0]);

function inOurOrder(
  name: string,
  theirName: string,
  data: Floats,
  { headDim }: LlamaConfig,
  notes: Notes,
): Floats {
  if (!hasNeighbouringPairs(theirName, name)) return data;
  notes.add("put from the order of GGUF's heads into that of Hugging Face", theirName);
  return inHuggingFaceOrder(data, headDim);
}

function checkSame(one: DumpTensor, other: DumpTensor, source: string): void {
  const isSame =
    one.data.length === other.data.length && one.data.every((x, i) => Object.is(x, other.data[i]));
  if (isSame) return;
  throw new LlamaError(
    'TENSOR_MISMATCH',
    `${source}: ${show(one.theirName)} and ${show(other.theirName)} are both ${one.name}, and ` +
      'differ; leave one out, or say with --names what it is',
  );
}
