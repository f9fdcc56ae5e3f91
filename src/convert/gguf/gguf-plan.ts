/** A model as one GGUF file. */

import { ggufDataBytes, writeGguf } from '../../files/gguf/writer.js';
import { fileOf } from '../output.js';
import type { Recoder } from '../recoder.js';
import type { Plan } from '../rewrite.js';
import { modelToWrite, type Source } from '../source.js';
import type { GgufFileType } from './recipes.js';
import { dtypesInFile, ggufOfModel } from './write-model.js';

/**
 * Without `fileType`, tensors have the formats that they have. Throws what `modelToWrite` and
 * `ggufOfModel` throw.
 */
export async function ggufPlan(
  source: Source,
  fileType: GgufFileType | undefined,
  recoder: Recoder,
): Promise<Plan> {
  const { metadata, tensors } = ggufOfModel(await modelToWrite(source), fileType, recoder);
  const file = await fileOf(
    'model.gguf',
    writeGguf(metadata, tensors),
    ggufDataBytes(metadata, tensors),
  );
  return { dtypes: dtypesInFile(source, fileType), files: [file] };
}
