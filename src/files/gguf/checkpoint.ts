/**
 * A GGUF file as the checkpoint of a Llama: by Hugging Face's names, and with the rows of Q and K
 * in Hugging Face's order.
 */

import { check, show } from '../../base/errors.js';
import { type Checkpoint, type CheckpointTensor, renameTensor } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { biasOf, isZero } from '../../model/select-weights.js';
import { type Weight, weightsOf } from '../../model/weights.js';
import type { GgufFile, GgufTensor } from './gguf.js';
import { ggufRows, reorderHeads } from './rotary-order.js';

/** Factors for rope's frequencies, one each; Llama 3.1 and later have them. */
const ROPE_FACTORS = 'rope_freqs.weight';

/**
 * The tensors of `file`, which belongs to the checkpoint from here on, by Hugging Face's names.
 * Those that no Llama has keep their own. Are they all there, and which are not used: see
 * `selectWeights`.
 *
 * @throws {LlamaError} UNSUPPORTED if the file changes the frequencies of the rotary embedding one
 * by one; TENSOR_MISMATCH if a module of the model has what only another model's has, such as a
 * bias that is not 0.
 */
export async function ggufCheckpoint(file: GgufFile, config: LlamaConfig): Promise<Checkpoint> {
  const weights = new Map(weightsOf(config).map(weight => [weight.ggufName, weight]));
  const biases = new Map([...weights.values()].map(weight => [biasOf(weight.ggufName), weight]));
  const tensors = new Map<string, CheckpointTensor>();
  for (const tensor of file.tensors.values()) {
    if (tensor.name === ROPE_FACTORS) {
      await checkRopeFactors(file, tensor);
      continue;
    }
    const biased = biases.get(tensor.name);
    if (biased !== undefined && (await isZero(tensor))) {
      tensors.set(biasOf(biased.name), tensor);
      continue;
    }
    const weight = weights.get(tensor.name);
    check(
      weight !== undefined || !isOfModel(tensor.name, config),
      'TENSOR_MISMATCH',
      () =>
        `${file.name} has the tensor ${show(tensor.name)}, which is none of this model: the ` +
        'result would differ',
    );
    if (weight === undefined) tensors.set(tensor.name, tensor);
    else tensors.set(weight.name, asHuggingFace(tensor, weight, config));
  }
  return { name: file.name, tensors, close: () => file.close() };
}

/** Tables of the rotary embedding, which old converters wrote. */
const BESIDE = /^blk\.\d+\.attn_rot_embd\./;

/** Whether a tensor of this name would take part if the model had it. */
function isOfModel(name: string, { numHiddenLayers }: LlamaConfig): boolean {
  if (BESIDE.test(name)) return false;
  const [, layer] = /^blk\.(\d+)\./.exec(name) ?? [];
  if (layer !== undefined) return Number(layer) < numHiddenLayers;
  return /^(token_embd|output_norm|output)\./.test(name);
}

/** Factors of 1, which some converters write, change nothing. */
async function checkRopeFactors(file: GgufFile, tensor: GgufTensor): Promise<void> {
  const different = (await tensor.read()).find(factor => factor !== 1);
  check(
    different === undefined,
    'UNSUPPORTED',
    () =>
      `${file.name}: ${ROPE_FACTORS} divides a frequency of the rotary embedding by ` +
      `${different}, as Llama 3.1 does; only linear interpolation is implemented: the result ` +
      'would differ',
  );
}

function asHuggingFace(
  tensor: GgufTensor,
  { name, isRotated }: Weight,
  { headDim }: LlamaConfig,
): CheckpointTensor {
  const view = renameTensor(tensor, name);
  return isRotated ? reorderHeads(view, ggufRows(headDim)) : view;
}
