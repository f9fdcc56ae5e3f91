/** Whether the tensors of a checkpoint are the weights of a model. */

import { firstOf, LlamaError, show } from '../base/errors.js';
import type { Checkpoint, CheckpointTensor } from './checkpoint.js';
import type { LlamaConfig } from './config.js';
import { BLOCK_UNITS, isBlockDType, isFloatDType } from './dtypes.js';
import { EMBEDDING, expectedWeights, LM_HEAD, NORM } from './weights.js';

/**
 * What frameworks save beside the weights and compute anew: tables of the rotary embedding, states
 * that are not of the model.
 */
const BESIDE = /(^|\.)rotary_emb\.|\.(inv_freq|cos_cached|sin_cached|masked_bias|_extra_state)$/;

/**
 * Checks that `checkpoint` holds the weights of `config`: names, shapes, dtypes. More may be there,
 * and is never read (`unusedTensors`), but nothing that a module of this model would have if it
 * were another one: a bias, say, that whoever trained it had, and this model has not.
 *
 * @throws {LlamaError} TENSOR_MISMATCH naming the first few that are missing, unexpected or of
 * another shape or dtype.
 */
export function checkWeights(config: LlamaConfig, checkpoint: Checkpoint): void {
  const allowed = allowedWeights(config);
  const missing = [...expectedWeights(config).keys()].filter(name => !checkpoint.tensors.has(name));
  const unexpected = unusedTensors(config, checkpoint)
    .filter(([name]) => isOfModel(name, config))
    .map(([, tensor]) => tensor.name);
  const wrong = [...checkpoint.tensors.values()]
    .map(tensor => difference(tensor, allowed.get(tensor.name)))
    .filter(text => text !== undefined);

  const problems = [
    list('missing', missing),
    list('unexpected', unexpected),
    list('wrong', wrong),
  ].filter(Boolean);
  if (problems.length > 0) {
    const notes = (checkpoint.notes ?? []).map(note => ` ${note}.`).join('');
    throw new LlamaError(
      'TENSOR_MISMATCH',
      `${checkpoint.name} does not hold the weights its config describes: ${problems.join('; ')}.` +
        `${notes} Do config and weights belong together?`,
    );
  }
}

/**
 * The tensors that a model of `config` has no use for, each with Hugging Face's name. What it calls
 * itself is for messages.
 */
export function unusedTensors(
  config: LlamaConfig,
  { tensors }: Checkpoint,
): [name: string, tensor: CheckpointTensor][] {
  const allowed = allowedWeights(config);
  return [...tensors].filter(([name]) => !allowed.has(name));
}

/** Name → shape; of a tied model also of a head, for which see `checkTiedHead`. */
function allowedWeights(config: LlamaConfig): ReadonlyMap<string, readonly number[]> {
  const expected = expectedWeights(config);
  return config.tieWordEmbeddings ? expected.set(LM_HEAD, expected.get(EMBEDDING)!) : expected;
}

/** Whether a tensor of this name, Hugging Face's, would take part if the model had it. */
export function isOfModel(name: string, { numHiddenLayers }: LlamaConfig): boolean {
  if (BESIDE.test(name)) return false;
  const [, layer] = /^model\.layers\.(\d+)\./.exec(name) ?? [];
  if (layer !== undefined) return Number(layer) < numHiddenLayers;
  return [EMBEDDING, NORM, LM_HEAD].some(weight => name.startsWith(weight.replace(/weight$/, '')));
}

/**
 * What is wrong with the shape or dtype of `tensor`; undefined if nothing is, or if it is not
 * expected at all.
 */
function difference(
  tensor: CheckpointTensor,
  shape: readonly number[] | undefined,
): string | undefined {
  if (shape === undefined) return undefined;
  if (tensor.shape.join() !== shape.join())
    return `${tensor.name} is ${show(tensor.shape)}, not ${show(shape)}`;
  if (isFloatDType(tensor.dtype) || isBlockDType(tensor.dtype)) return undefined;
  const blocks = Object.keys(BLOCK_UNITS).join(', ');
  return `${tensor.name} is ${tensor.dtype}, not F64, F32, F16, BF16 or ${blocks}`;
}

/** The first few of `items` after what is the matter with them; empty if there are none. */
function list(what: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${what}: ${firstOf(items)}`;
}

/**
 * A checkpoint may hold an `lm_head.weight` though the config says that the embedding is used.
 * transformers 4 ignores it, transformers 5 uses it if it differs; so it is accepted only if it
 * does not differ. Reads both tensors, in pieces.
 *
 * @throws {LlamaError} TENSOR_MISMATCH naming the first row that differs.
 */
export async function checkTiedHead(config: LlamaConfig, checkpoint: Checkpoint): Promise<void> {
  const head = checkpoint.tensors.get(LM_HEAD);
  if (!config.tieWordEmbeddings || head === undefined) return;
  const embedding = checkpoint.tensors.get(EMBEDDING)!;
  const rowsAtOnce = Math.ceil(2 ** 20 / config.hiddenSize);
  for (let first = 0; first < config.vocabSize; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, config.vocabSize - first);
    const [a, b] = [await embedding.read(first, count), await head.read(first, count)];
    const different = a.findIndex((x, i) => x !== b[i]);
    if (different === -1) continue;
    throw new LlamaError(
      'TENSOR_MISMATCH',
      `${checkpoint.name}: tie_word_embeddings is true, but row ` +
        `${first + Math.floor(different / config.hiddenSize)} of ${LM_HEAD} differs from ` +
        `${EMBEDDING}; set tie_word_embeddings to false to use it, or remove it from the file`,
    );
  }
}
