/** `llama-32k inspect`: what a model is made of. Reads no weights. */
import type { CheckpointTensor } from '../checkpoint/checkpoint.js';
import { openModelFiles } from '../checkpoint/open.js';
import { elementCount } from '../tensor.js';
import { type Io, write, writeJson } from './io.js';
import { modelPath } from './model.js';
import { MODEL, type Options, type Verb } from './options.js';

export const inspectVerb: Verb = {
  name: 'inspect',
  usage: '[options]',
  summary: "A model's configuration, tensors and sizes.",
  details: ['Configuration and tensors are checked against each other; the weights are not read.'],
  options: [MODEL],
  json:
    'Print {model, config, tensors: [{name, dtype, shape, bytes}], totals: {tensors, parameters, bytes, dtypes}}; ' +
    'dtypes has the number of parameters of each. config is what is understood of config.json, defaults filled in.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const path = await modelPath(options, io);
  const { config, checkpoint } = await openModelFiles(path);
  await checkpoint.close();
  const tensors = [...checkpoint.tensors.values()];
  const description = {
    model: path,
    config: Object.fromEntries(Object.entries(config).map(([key, value]) => [snakeCase(key), value])),
    tensors: tensors.map(({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, bytes: byteLength })),
    totals: totalsOf(tensors),
  };
  if (options.flag('json')) await writeJson(io, description);
  else await write(io.stdout, table(description));
}

function totalsOf(tensors: readonly CheckpointTensor[]) {
  const dtypes: Record<string, number> = {};
  let parameters = 0;
  let bytes = 0;
  for (const { dtype, shape, byteLength } of tensors) {
    const count = elementCount(shape);
    dtypes[dtype] = (dtypes[dtype] ?? 0) + count;
    parameters += count;
    bytes += byteLength;
  }
  return { tensors: tensors.length, parameters, bytes, dtypes };
}

interface Description {
  readonly model: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly { name: string; dtype: string; shape: readonly number[]; bytes: number }[];
  readonly totals: ReturnType<typeof totalsOf>;
}

function table({ model, config, tensors, totals }: Description): string {
  const rows = tensors.map(({ name, dtype, shape, bytes }) => [name, dtype, `[${shape.join(', ')}]`, grouped(bytes)]);
  const dtypes = Object.entries(totals.dtypes).map(([dtype, count]) => `${grouped(count)} ${dtype}`);
  return [
    model,
    '',
    ...aligned(Object.entries(config).map(([key, value]) => [key, String(value)])),
    '',
    ...aligned([['tensor', 'dtype', 'shape', 'bytes'], ...rows]),
    '',
    `${totals.tensors} tensors, ${grouped(totals.bytes)} bytes, ${grouped(totals.parameters)} parameters: ${dtypes.join(', ')}`,
    '',
  ].join('\n');
}

/** Rows of cells as lines, every column as wide as its widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}

const grouped = (count: number): string => count.toLocaleString('en-US');

/** hiddenSize → hidden_size: the names that config.json has. */
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
