/** The weights of a model among all that a checkpoint holds. */

import { firstOf } from '../base/errors.js';
import { checkTiedHead, checkWeights, unusedTensors } from './check-weights.js';
import { type Checkpoint, type CheckpointTensor, renameTensor } from './checkpoint.js';
import type { LlamaConfig } from './config.js';
import { isFloatDType } from './dtypes.js';
import { EMBEDDING, expectedWeights, LM_HEAD } from './weights.js';

type Tensors = ReadonlyMap<string, CheckpointTensor>;

/** What the names of all tensors but the head begin with, unless the model was saved without it. */
export const BASE_PREFIX = 'model.';

/**
 * `checkpoint` with the weights of `config` and nothing else; notes name what else there is. As
 * transformers does it, weights are also found
 * - without `model.` in front, where the model was saved without its head;
 * - in a tied model, under the name of the head alone.
 *
 * A Llama has no biases; those that are there must be 0.
 *
 * @throws {LlamaError} TENSOR_MISMATCH, what `checkWeights` and `checkTiedHead` throw.
 */
export async function selectWeights(
  config: LlamaConfig,
  checkpoint: Checkpoint,
): Promise<Checkpoint & { readonly notes: readonly string[] }> {
  const all = withEmbedding(withPrefix(checkpoint.tensors), config);
  const biases = await zeroBiases(all, config);
  const tensors = new Map([...all].filter(([name]) => !biases.includes(name)));
  const named: Checkpoint = {
    name: checkpoint.name,
    tensors,
    notes: checkpoint.notes ?? [],
    identify: async () => checkpoint.identify?.(),
    close: () => checkpoint.close(),
  };
  checkWeights(config, named);
  await checkTiedHead(config, named);
  const unused = unusedTensors(config, named).map(([, tensor]) => tensor.name);
  const weights = expectedWeights(config);
  return {
    ...named,
    tensors: new Map([...tensors].filter(([name]) => weights.has(name))),
    notes: [
      ...(checkpoint.notes ?? []),
      ...(unused.length === 0
        ? []
        : [`${checkpoint.name} holds tensors that the model does not use: ${firstOf(unused)}`]),
      ...(biases.length === 0
        ? []
        : [`${checkpoint.name} holds biases that are 0, and change nothing: ${firstOf(biases)}`]),
    ],
  };
}

/** The names of biases of the model's weights that add nothing. Reads them. */
async function zeroBiases(tensors: Tensors, config: LlamaConfig): Promise<string[]> {
  const names: string[] = [];
  for (const name of expectedWeights(config).keys()) {
    const bias = biasOf(name);
    const vector = tensors.get(bias);
    if (vector !== undefined && (await isZero(vector))) names.push(bias);
  }
  return names;
}

/** The name of the bias that a module with the weight `name` would have. */
const biasOf = (name: string): string => name.replace(/weight$/, 'bias');

/** Whether `vector` is one, and of zeros. */
async function isZero(vector: CheckpointTensor): Promise<boolean> {
  const isVector = vector.shape.length === 1 && isFloatDType(vector.dtype);
  return isVector && (await vector.read()).every(x => x === 0);
}

function withPrefix(tensors: Tensors): Tensors {
  const isBare = tensors.has(EMBEDDING.slice(BASE_PREFIX.length)) && !tensors.has(EMBEDDING);
  if (!isBare) return tensors;
  return new Map(
    [...tensors.values()].map(tensor =>
      tensor.name === LM_HEAD
        ? [LM_HEAD, tensor]
        : [`${BASE_PREFIX}${tensor.name}`, renameTensor(tensor, `${BASE_PREFIX}${tensor.name}`)],
    ),
  );
}

/** Whoever saves two names of one matrix once may keep either. */
function withEmbedding(tensors: Tensors, { tieWordEmbeddings }: LlamaConfig): Tensors {
  const head = tensors.get(LM_HEAD);
  if (!tieWordEmbeddings || head === undefined || tensors.has(EMBEDDING)) return tensors;
  return new Map(
    [...tensors].map(([name, tensor]) =>
      tensor === head ? [EMBEDDING, renameTensor(head, EMBEDDING)] : [name, tensor],
    ),
  );
}
