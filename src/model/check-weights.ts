/** Whether the tensors of a checkpoint are the weights of a model. */

import { LlamaError, show } from '../base/errors.js';
import type { Checkpoint, CheckpointTensor } from './checkpoint.js';
import type { LlamaConfig } from './config.js';
import { BLOCK_DTYPES, isBlockDType, isFloatDType } from './dtypes.js';
import { EMBEDDING, expectedWeights, LM_HEAD } from './weights.js';

/**
 * Checks that `checkpoint` holds the weights of `config` and nothing else: names, shapes, dtypes.
 * Two things may be there besides, and are never read:
 *
 * - `….rotary_emb.inv_freq`, which transformers before 4.32 saved: computed anew, as the saved ones
 *   may be rounded to f16;
 * - `lm_head.weight` though the config ties it to the embedding: see `checkTiedHead`.
 *
 * @throws {LlamaError} TENSOR_MISMATCH naming the first few that are missing, unexpected or of
 * another shape or dtype.
 */
export function checkWeights(config: LlamaConfig, checkpoint: Checkpoint): void {
  const expected = expectedWeights(config);
  const allowed = config.tieWordEmbeddings
    ? new Map(expected).set(LM_HEAD, expected.get(EMBEDDING)!)
    : expected;
  const present = [...checkpoint.tensors.values()].filter(
    tensor => !tensor.name.endsWith('.rotary_emb.inv_freq'),
  );

  const missing = [...expected.keys()].filter(name => !checkpoint.tensors.has(name));
  const unexpected = present.filter(tensor => !allowed.has(tensor.name)).map(tensor => tensor.name);
  const wrong = present
    .map(tensor => difference(tensor, allowed.get(tensor.name)))
    .filter(text => text !== undefined);

  const problems = [
    list('missing', missing),
    list('unexpected', unexpected),
    list('wrong', wrong),
  ].filter(Boolean);
  if (problems.length > 0) {
    throw new LlamaError(
      'TENSOR_MISMATCH',
      `${checkpoint.name} does not hold the weights its config describes: ` +
        `${problems.join('; ')}. Do config and weights belong together?`,
    );
  }
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
  return `${tensor.name} is ${tensor.dtype}, not F64, F32, F16, BF16 or ${BLOCK_DTYPES.join(', ')}`;
}

/** The first few of `items` after what is the matter with them; empty if there are none. */
function list(what: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const more = items.length > 3 ? ` and ${items.length - 3} more` : '';
  return `${what}: ${items.slice(0, 3).join(', ')}${more}`;
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
