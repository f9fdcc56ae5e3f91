/**
 * A checkpoint whose weights are rounded to the type that somebody computes in: whoever says bf16
 * has bf16 weights, and must compute with those rightly.
 */
import type { Floats } from '../../base/tensor.js';
import { BLOCK_FORMATS } from '../../files/blocks/blocks.js';
import type { Checkpoint, CheckpointTensor } from '../../model/checkpoint.js';
import { type BlockDType, isBlockDType } from '../../model/dtypes.js';
import { type DeclaredType, ROUND } from './types.js';

/**
 * `checkpoint` with the weights of the declared type. Weights of a file that has block formats stay
 * as they are; of others, matrices are encoded as llama-quantize does where rows are whole blocks.
 */
export function inType(checkpoint: Checkpoint, { name, weights }: DeclaredType): Checkpoint {
  const dtype = name.toUpperCase();
  const hasBlocks = [...checkpoint.tensors.values()].some(tensor => isBlockDType(tensor.dtype));
  if (weights !== undefined) {
    return mapRead(checkpoint, () => x => x.map(ROUND[weights]));
  }
  if (hasBlocks || !isBlockDType(dtype)) return checkpoint;
  return mapRead(checkpoint, ({ shape }) => {
    const { numbers } = BLOCK_FORMATS[dtype];
    const isCoded = shape.length === 2 && shape[1] % numbers === 0;
    return isCoded ? x => codedAndBack(x, dtype) : undefined;
  });
}

function codedAndBack(x: Floats, dtype: BlockDType): Floats {
  const { numbers, bytes, encode, decode } = BLOCK_FORMATS[dtype];
  if (encode === undefined) return x;
  const blocks = new Uint8Array((x.length / numbers) * bytes);
  const decoded = new Float32Array(x.length);
  encode(Float32Array.from(x), blocks);
  decode(blocks, decoded);
  return decoded;
}

function mapRead(
  checkpoint: Checkpoint,
  changeOf: (tensor: CheckpointTensor) => ((x: Floats) => Floats) | undefined,
): Checkpoint {
  const changed = [...checkpoint.tensors].map(([name, tensor]) => {
    const change = changeOf(tensor);
    return [name, change === undefined ? tensor : withRead(tensor, change)] as const;
  });
  const { name } = checkpoint;
  return { name, tensors: new Map(changed), close: () => checkpoint.close() };
}

function withRead(tensor: CheckpointTensor, change: (x: Floats) => Floats): CheckpointTensor {
  const { name, dtype, shape, byteLength } = tensor;
  return {
    name,
    dtype,
    shape,
    byteLength,
    read: async (first, count) => change(await tensor.read(first, count)),
    readInto: (target, first, count) => tensor.readInto(target, first, count),
    readBytes: (first, count) => tensor.readBytes(first, count),
  };
}
