/**
 * A GGUF file as the checkpoint of a Llama: by Hugging Face's names, and with the rows of Q and K
 * in Hugging Face's order.
 */

import { check, show } from '../../base/errors.js';
import { isOfModel } from '../../model/check-weights.js';
import { type Checkpoint, type CheckpointTensor, renameTensor } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { BASE_PREFIX } from '../../model/select-weights.js';
import { type Weight, weightsOf } from '../../model/weights.js';
import type { GgufFile, GgufTensor } from './gguf.js';
import { ROPE_FACTORS } from './rope.js';
import { ggufRows, reorderHeads } from './rotary-order.js';

/**
 * The tensors of `file`, which belongs to the checkpoint from here on. Those of the model's modules
 * and layers are found by Hugging Face's names; those that are no weights, and others, call
 * themselves what the file calls them. Are they all there, and which are not used: see
 * `selectWeights`. Factors of the rotary embedding are part of the configuration: `rope.ts`.
 *
 * @throws {LlamaError} TENSOR_MISMATCH if the file has Hugging Face's names itself.
 */
export function ggufCheckpoint(file: GgufFile, config: LlamaConfig): Checkpoint {
  const weights = new Map(weightsOf(config).map(weight => [weight.ggufName, weight]));
  const modules = new Map(
    [...weights.values()].map(({ name, ggufName }) => [moduleOf(ggufName), moduleOf(name)]),
  );
  const tensors = new Map<string, CheckpointTensor>();
  for (const tensor of file.tensors.values()) {
    if (tensor.name === ROPE_FACTORS) continue;
    checkNaming(file, tensor.name, config);
    const weight = weights.get(tensor.name);
    if (weight === undefined) tensors.set(huggingFaceName(tensor.name, modules), tensor);
    else tensors.set(weight.name, asHuggingFace(tensor, weight, config));
  }
  return {
    name: file.name,
    tensors,
    identify: async () => file.identify?.(),
    close: () => file.close(),
  };
}

const moduleOf = (weight: string): string => weight.replace(/\.weight$/, '');

/** `modules` has Hugging Face's name of each module by llama.cpp's. */
function huggingFaceName(name: string, modules: ReadonlyMap<string, string>): string {
  const [, module, rest] = /^((?:blk\.\d+\.)?[^.]+)(\..*)$/.exec(name) ?? [];
  const known = modules.get(module);
  if (known !== undefined) return `${known}${rest}`;
  return name
    .replace(/^blk\.(\d+)\.attn_rot_embd\./, 'model.layers.$1.self_attn.rotary_emb.')
    .replace(/^blk\.(\d+)\./, 'model.layers.$1.');
}

/** Whoever names weights otherwise than llama.cpp may have their rows in another order, too. */
function checkNaming(file: GgufFile, name: string, config: LlamaConfig): void {
  check(
    ![name, `${BASE_PREFIX}${name}`].some(each => isOfModel(each, config)),
    'TENSOR_MISMATCH',
    () =>
      `${file.name} calls a tensor ${show(name)}, as Hugging Face does, and not as llama.cpp: in ` +
      'which order the rows of Q and K are is then not known; convert the model anew',
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
