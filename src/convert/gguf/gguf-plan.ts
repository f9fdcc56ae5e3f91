/** A model as one GGUF file. */

import { ropeNotes } from '../../files/gguf/rope.js';
import { ggufDataBytes, writeGguf } from '../../files/gguf/writer.js';
import { ggufTokenizerNotes } from '../../tokenizer/gguf/gguf-tokenizer.js';
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
  const model = await modelToWrite(source);
  const { metadata, tensors } = ggufOfModel(model, fileType, recoder);
  const file = await fileOf(
    'model.gguf',
    writeGguf(metadata, tensors),
    ggufDataBytes(metadata, tensors),
  );
  const notes = [
    ...ggufTokenizerNotes(model.tokenizer, source.config.vocabSize),
    ...ropeNotes(source.config),
  ];
  return { dtypes: dtypesInFile(source, fileType), files: [file], notes };
}
