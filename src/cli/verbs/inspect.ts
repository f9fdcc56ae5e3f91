/** `llama-32k inspect`: what a model is made of. Reads no weights. */

import { showBytes } from '../../base/disk.js';
import { escapeFor } from '../../base/escape.js';
import { isObject } from '../../base/json.js';
import { alignColumns, groupDigits } from '../../base/table.js';
import { elementCount } from '../../base/tensor.js';
import { separateWords } from '../../base/text.js';
import { readChatTemplates } from '../../load/chat-format.js';
import { findTokenizer } from '../../load/find-tokenizer.js';
import { tokenizerNotes } from '../../load/model.js';
import { openModelFiles } from '../../load/model-files.js';
import type { LlamaConfig } from '../../model/config.js';
import { expectedWeights } from '../../model/weights.js';
import { modelPath } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { type Io, write, writeJson } from '../terminal/io.js';

export const inspectVerb: Verb = {
  name: 'inspect',
  usage: '[options]',
  summary: "A model's configuration, tensors and sizes.",
  details: [
    'Configuration and tensors are checked against each other; the weights are not read.',
    'In the table, the same tensors of several layers are one line: layers, the shape of each, ' +
      'parameters and size of all.',
  ],
  options: MODEL,
  json:
    'Print {model, config, chat_template: {origin, names} or null, tensors: [{name, dtype, ' +
    'shape, bytes}], totals: {tensors, parameters, bytes, dtypes}, notes: [text]}; dtypes has ' +
    'the number of parameters of each. config is what is understood of config.json, defaults ' +
    'filled in; notes name what the files say or hold besides, and changes nothing.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const path = await modelPath(options, io);
  const { config, checkpoint, notes: ofFiles } = await openModelFiles(path);
  await checkpoint.close();
  const found = await readChatTemplates(path);
  const tensors = [...checkpoint.tensors.values()].map(({ name, dtype, shape, byteLength }) => {
    return { name, dtype, shape, bytes: byteLength };
  });
  const description = {
    model: path,
    config: asInConfigJson(config),
    chat_template: found ? { origin: found.origin, names: [...found.templates.keys()] } : null,
    tensors,
    totals: totalsOf(tensors),
    notes: [...ofFiles, ...tokenizerNotes(await findTokenizer(path), config)],
  };
  if (options.flag('json')) await writeJson(io, description);
  else {
    const tensors = inOrderOfTheModel(description.tensors, config);
    await write(io.stdout, escapeFor(io.stdout, table({ ...description, tensors })));
  }
}

/** By the names that config.json has; null is nothing. */
function asInConfigJson(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      separateWords(key, '_'),
      isObject(value) ? asInConfigJson(value) : (value ?? null),
    ]),
  );
}

function totalsOf(tensors: Description['tensors']): Totals {
  const dtypes: Record<string, number> = {};
  let parameters = 0;
  let total = 0;
  for (const { dtype, shape, bytes } of tensors) {
    const count = elementCount(shape);
    dtypes[dtype] = (dtypes[dtype] ?? 0) + count;
    parameters += count;
    total += bytes;
  }
  return { tensors: tensors.length, parameters, bytes: total, dtypes };
}

/** As the model uses them, which is not always the order of the file. */
function inOrderOfTheModel(
  tensors: Description['tensors'],
  config: LlamaConfig,
): Description['tensors'] {
  const places = new Map([...expectedWeights(config).keys()].map((name, place) => [name, place]));
  const placeOf = ({ name }: { name: string }) => places.get(name) ?? places.size;
  return tensors.toSorted((a, b) => placeOf(a) - placeOf(b));
}

interface Totals {
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  /** The number of parameters of each. */
  readonly dtypes: Readonly<Record<string, number>>;
}

interface Description {
  readonly model: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly chat_template: { readonly origin: string; readonly names: readonly string[] } | null;
  readonly tensors: readonly {
    name: string;
    dtype: string;
    shape: readonly number[];
    bytes: number;
  }[];
  readonly totals: Totals;
  /** What the files say or hold besides, and changes nothing. */
  readonly notes: readonly string[];
}

function table(description: Description): string {
  const { model, config, chat_template, tensors, totals, notes } = description;
  const groups = groupsOf(tensors);
  return [
    model,
    '',
    ...alignColumns([
      ...Object.entries(config).map(([key, value]) => [key, showValue(value)]),
      ['chat_template', chatTemplate(chat_template)],
    ]),
    '',
    ...alignColumns(
      [
        ['tensor', 'layers', 'dtype', 'shape', 'parameters', 'size'],
        ...groups.map(({ name, layers, dtype, shape, parameters, bytes }) => {
          return [
            name,
            ranges(layers),
            dtype,
            `[${shape.join(', ')}]`,
            groupDigits(parameters),
            showBytes(bytes),
          ];
        }),
      ],
      [4, 5],
    ),
    '',
    ...alignColumns(
      [
        ['dtype', 'tensors', 'parameters', 'size', 'bits each'],
        ...Object.keys(totals.dtypes).map(dtype => {
          const own = tensors.filter(tensor => tensor.dtype === dtype);
          return totalsRow(dtype, totalsOf(own));
        }),
        totalsRow('all', totals),
      ],
      [1, 2, 3, 4],
    ),
    '',
    ...notes.flatMap(text => [`note: ${text}`, '']),
  ].join('\n');
}

/** An object is its fields, the first of which is its type. */
function showValue(value: unknown): string {
  if (value === null) return 'none';
  if (!isObject(value)) return String(value);
  const { type, ...others } = value;
  return [type, ...Object.entries(others).map(([key, own]) => `${key} ${own}`)].join(', ');
}

/** Where it comes from; and if there are several, which. */
function chatTemplate(found: Description['chat_template']): string {
  if (found === null) return "none: the model card's format";
  const { origin, names } = found;
  return names.length === 1 && names[0] === 'default' ? origin : `${origin}: ${names.join(', ')}`;
}

function totalsRow(name: string, { tensors, parameters, bytes }: Totals): string[] {
  return [
    name,
    groupDigits(tensors),
    groupDigits(parameters),
    showBytes(bytes),
    ((8 * bytes) / parameters).toFixed(2),
  ];
}

interface Group {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly layers: number[];
  parameters: number;
  bytes: number;
}

/** Tensors that differ in nothing but their layer, together; in the order of their first one. */
function groupsOf(tensors: Description['tensors']): Group[] {
  const groups = new Map<string, Group>();
  for (const { name, dtype, shape, bytes } of tensors) {
    const [, layer] = /^model\.layers\.(\d+)\./.exec(name) ?? [];
    const common = layer === undefined ? name : name.replace(layer, 'N');
    const key = `${common} ${dtype} ${shape}`;
    const group = groups.get(key) ?? {
      name: common,
      dtype,
      shape,
      layers: [],
      parameters: 0,
      bytes: 0,
    };
    groups.set(key, group);
    if (layer !== undefined) group.layers.push(Number(layer));
    group.parameters += elementCount(shape);
    group.bytes += bytes;
  }
  return [...groups.values()];
}

/** 0, 1, 2, 5 as 0–2, 5. */
function ranges(numbers: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === number - 1) run.last = number;
    else runs.push({ first: number, last: number });
  }
  return runs
    .map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`))
    .join(', ');
}
