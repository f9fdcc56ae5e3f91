/** `llama-32k estimate`: the memory that a model will take, before any is taken. */

import { checkValues } from '../../base/options.js';
import { memoryNeeds } from '../../engines/wasm/memory/memory-needs.js';
import { platform } from '../../engines/wasm/platform/here.js';
import { layoutFor } from '../../engines/wasm/wasm-engine.js';
import { openModelFiles } from '../../load/model-files.js';
import { LOAD } from '../../load/options.js';
import type { LlamaConfig } from '../../model/config.js';
import { raiseLimit } from '../../model/context.js';
import { flagsOf } from '../arguments/flags.js';
import { MEMORY, modelPath, wasmOptions } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { type Io, note, write, writeJson } from '../terminal/io.js';

const OWN = {
  context: {
    range: LOAD.context.range,
    otherwise: 'as many as the model has',
    value: 'N',
    help: 'Positions of text: all sequences together, so that they may be more than the model has.',
  },
};

export const estimateVerb: Verb = {
  name: 'estimate',
  usage: '[options]',
  summary: 'The memory that a model and a text take with the WASM kernels.',
  details: [
    'Only sums: nothing is allocated, no weights are read. What does not fit is refused when a ' +
      'model is loaded.',
  ],
  options: [...MODEL, ...flagsOf(OWN), ...MEMORY],
  json:
    'Print {model, context, weights_bytes, cache_bytes, scratch_bytes, total_bytes, memories, ' +
    'machine_bytes, fits}.',
  run,
};

async function run(options: Options, io: Io): Promise<void> {
  const path = await modelPath(options, io);
  const { config: own, checkpoint } = await openModelFiles(path);
  await checkpoint.close();
  const context = options.integer('context') ?? own.maxPositionEmbeddings;
  checkValues({ context }, { context: OWN.context });
  const config = raiseLimit(own, context);
  const layout = layoutFor(config, checkpoint, { ...wasmOptions(options), context });
  const { weights, cache, scratch, total } = memoryNeeds(layout, context);
  const machine = platform.memoryBytes();
  const sums = {
    model: path,
    context,
    weights_bytes: weights,
    cache_bytes: cache,
    scratch_bytes: scratch,
    total_bytes: total,
    memories: layout.banks.length,
    machine_bytes: machine,
    fits: total <= machine,
  };
  if (options.flag('json')) return writeJson(io, sums);
  if (config.isLimitRaised) note(io, raisedNote(own));
  await write(io.stdout, readable(sums));
}

const raisedNote = ({ maxPositionEmbeddings }: LlamaConfig): string =>
  `the model has ${maxPositionEmbeddings} positions (max_position_embeddings): one text has more ` +
  'only where --context raises that limit, too';

function readable(sums: Record<string, string | number | boolean>): string {
  const line = (name: string, bytes: unknown) =>
    `${name.padEnd(26)} ${(Number(bytes) / 2 ** 20).toFixed(1).padStart(10)} MiB`;
  return [
    line('weights', sums.weights_bytes),
    line(`cache, ${sums.context} positions`, sums.cache_bytes),
    line('scratch', sums.scratch_bytes),
    line(
      `together, in ${sums.memories} ${sums.memories === 1 ? 'memory' : 'memories'}`,
      sums.total_bytes,
    ),
    line('this machine has', sums.machine_bytes),
    sums.fits
      ? 'It fits.'
      : 'It does not fit: choose smaller weights (--weights q4_0), a smaller cache (--cache q8) ' +
        'or a smaller --context.',
    '',
  ].join('\n');
}
