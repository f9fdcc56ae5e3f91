/** A model of any size whose weights are zeros: a sparse file, which takes no room on the disk. */
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elementCount } from '../../src/base/tensor.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { expectedWeights } from '../../src/model/weights.js';
import { fileOf } from '../files/helpers.js';

const HIDDEN = 1024;

/** Makes the directory `path` with some `megabytes` of float32. */
export async function zeroModel(path: string, megabytes: number): Promise<void> {
  const config = {
    model_type: 'llama',
    hidden_act: 'silu',
    vocab_size: 512,
    hidden_size: HIDDEN,
    // nearly all of it
    intermediate_size: Math.floor((megabytes * 2 ** 20) / 4 / HIDDEN / 3 / 16) * 16,
    num_hidden_layers: 1,
    num_attention_heads: 16,
    num_key_value_heads: 1,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    bos_token_id: 1,
    eos_token_id: 2,
    tie_word_embeddings: true,
  };
  let end = 0;
  const header: Record<string, object> = {};
  for (const [name, shape] of expectedWeights(parseConfig(config))) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + elementCount(shape) * 4] };
    end += elementCount(shape) * 4;
  }
  await mkdir(path);
  await writeFile(join(path, 'config.json'), JSON.stringify(config));
  const file = await open(join(path, 'model.safetensors'), 'w');
  const start = fileOf(header);
  await file.write(start);
  await file.truncate(start.length + end);
  await file.close();
}
