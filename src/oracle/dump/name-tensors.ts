/** Which of their tensors is which of ours. */
import { check, LlamaError, show } from '../../base/errors.js';
import type { LlamaConfig } from '../../model/config.js';
import { tensorNames } from '../../model/trace.js';
import type { Given, GivenTensor } from './given.js';
import { huggingFaceMeaning } from './hugging-face-names.js';
import { llamaCppMeaning } from './llama-cpp-names.js';
import { type Meaning, POSITIONS, TOKENS } from './meaning.js';
import { findName, type Names } from './names-file.js';
import { nearest } from './nearest.js';
import type { Notes } from './notes.js';

/** By our name, the one that has it already before others that are the same tensor. */
export type NamedTensors = ReadonlyMap<string, readonly GivenTensor[]>;

/**
 * @throws {LlamaError} TENSOR_MISMATCH for names that are not known or not clear; BAD_OPTION for
 * one of `names` that is none of ours.
 */
export function nameTensors(
  { source, tensors }: Given,
  config: LlamaConfig,
  names: Names,
  notes: Notes,
): NamedTensors {
  const ours = new Set([...tensorNames(config), TOKENS, POSITIONS]);
  const named = new Map<string, GivenTensor[]>();
  const unknown: string[] = [];
  for (const tensor of tensors) {
    const meaning = meaningOf(tensor.name, ours, names);
    if (meaning === undefined) unknown.push(tensor.name);
    else if ('leftOut' in meaning) notes.add(`left out, ${meaning.leftOut}`, tensor.name);
    else if ('unclear' in meaning)
      throw mismatch(`${source}: ${show(tensor.name)} ${meaning.unclear}`);
    else put(named, meaning.is, tensor, notes);
  }
  if (unknown.length > 0) throw mismatch(`${source}: ${describeUnknown(unknown, ours)}`);
  noteUnused(names, tensors, notes);
  return named;
}

const mismatch = (message: string) => new LlamaError('TENSOR_MISMATCH', message);

function meaningOf(theirs: string, ours: ReadonlySet<string>, names: Names): Meaning | undefined {
  const isOurs = (name: string) => ours.has(name);
  const given = findName(theirs, names);
  if (given !== undefined) {
    check(
      isOurs(given.ours),
      'BAD_OPTION',
      () =>
        `--names: ${show(theirs)} is to be ${show(given.ours)}, which this model does not have; ` +
        `the nearest name is ${nearest(given.ours, ours)}`,
    );
    return { is: given.ours };
  }
  if (isOurs(theirs)) return { is: theirs };
  const meaning = huggingFaceMeaning(theirs, isOurs) ?? llamaCppMeaning(theirs);
  return meaning !== undefined && 'is' in meaning && !isOurs(meaning.is) ? undefined : meaning;
}

function put(
  named: Map<string, GivenTensor[]>,
  name: string,
  tensor: GivenTensor,
  notes: Notes,
): void {
  if (tensor.name !== name) notes.add('read by another name', `${tensor.name} as ${name}`);
  const all = named.get(name) ?? [];
  named.set(name, tensor.name === name ? [tensor, ...all] : [...all, tensor]);
}

function describeUnknown(unknown: readonly string[], ours: ReadonlySet<string>): string {
  const known = [...ours, 'logits', 'input_ids'];
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : '';
  const some = unknown
    .slice(0, 3)
    .map(name => `${show(name)} (the nearest name is ${nearest(name, known)})`)
    .join(', ');
  return (
    `this model has no ${some}${more}; say what they are with --names FILE, ` +
    '{"their name": "our name"}, or leave them out'
  );
}

function noteUnused(names: Names, tensors: readonly GivenTensor[], notes: Notes): void {
  const used = new Set(tensors.map(({ name }) => findName(name, names)?.entry));
  for (const entry of names.keys())
    if (!used.has(entry)) notes.add('in --names, and not among the tensors', entry);
}
