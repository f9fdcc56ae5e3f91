/** A model as one GGUF file. */

import { LlamaError } from '../../base/errors.js';
import { ropeNotes } from '../../files/gguf/rope.js';
import { ggufDataBytes, writeGguf } from '../../files/gguf/writer.js';
import { ggufTokenizerNotes } from '../../tokenizer/gguf/gguf-tokenizer.js';
import { fileOf } from '../output.js';
import type { Recoder } from '../recoder.js';
import type { Plan } from '../rewrite.js';
import { modelToWrite, noTokenizer, type Source } from '../source.js';
import { fallbackNotes, type GgufFileType } from './recipes.js';
import { dtypesInFile, ggufOfModel, type ModelToWrite } from './write-model.js';

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
    ...tokenizerNotes(model),
    ...ropeNotes(source.config),
    ...(fileType === undefined ? [] : fallbackNotes(fileType, source.config)),
  ];
  return { dtypes: dtypesInFile(source, fileType), files: [file], notes };
}

function tokenizerNotes({ tokenizer, config, metadata }: ModelToWrite): string[] {
  if (!(tokenizer instanceof LlamaError)) return ggufTokenizerNotes(tokenizer, config.vocabSize);
  return metadata === undefined
    ? [noTokenizer(tokenizer)]
    : [`the tokenizer goes along unread, as it is: ${tokenizer.message}`];
}
