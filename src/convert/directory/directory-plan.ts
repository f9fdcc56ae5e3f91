import { LlamaError } from '../../base/errors.js';
import { elementCount } from '../../base/tensor.js';
import type { CheckpointTensor } from '../../model/checkpoint.js';
import type { FloatDType } from '../../model/dtypes.js';
import { isBlockDType } from '../../model/dtypes.js';
import { expectedWeights } from '../../model/weights.js';
import { fileWith } from '../output.js';
import type { Recoder } from '../recoder.js';
import type { Plan } from '../rewrite.js';
import { filesBesideWeights, type Source } from '../source.js';
import { configJson } from './config-json.js';
import { safetensorsFiles, type TensorToWrite } from './safetensors-files.js';

/**
 * @param dtype of all tensors; without, they have the formats that they have
 * @throws {LlamaError} UNSUPPORTED for block formats, which safetensors files do not have, unless
 * `dtype` says what they become.
 */
export async function directoryPlan(
  source: Source,
  dtype: FloatDType | undefined,
  shardSize: number,
  recoder: Recoder,
): Promise<Plan> {
  const { config, checkpoint } = source;
  const tensors = [...expectedWeights(config).keys()].map((name): TensorToWrite => {
    const tensor = checkpoint.tensors.get(name)!;
    return { tensor, dtype: dtype ?? ownDType(tensor) };
  });
  const weights = await safetensorsFiles(tensors, shardSize, recoder);
  const configFile = fileWith('config.json', Buffer.from(configJson(config, mainDType(tensors))));
  const beside = await filesBesideWeights(source);
  return {
    dtypes: new Map(tensors.map(({ tensor, dtype }) => [tensor.name, dtype])),
    files: [configFile, ...beside.files, ...weights],
    notes: beside.notes,
  };
}

function ownDType({ name, dtype }: CheckpointTensor): FloatDType {
  if (!isBlockDType(dtype)) return dtype as FloatDType;
  throw new LlamaError(
    'UNSUPPORTED',
    `${name} is ${dtype}, which safetensors files do not have; give a type: f32 is exact, f16 ` +
      'and bf16 round once more',
    { option: 'type' },
  );
}

/** That of the largest tensor: norms may be in another. */
function mainDType(tensors: readonly TensorToWrite[]): FloatDType {
  const size = ({ tensor }: TensorToWrite) => elementCount(tensor.shape);
  return tensors.reduce((largest, other) => (size(other) > size(largest) ? other : largest)).dtype;
}
