/**
 * A Llama as llama.cpp reads it: the same function of the same numbers as the Hugging Face
 * checkpoint, with all matrices in one format. (Files that people use give some matrices more bits:
 * `src/convert/gguf/write-model.ts`.)
 */

import { FILE_TYPES } from '../../src/convert/gguf/recipes.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { bytesOf } from '../../src/files/dtypes.js';
import { ggufConfigMetadata } from '../../src/files/gguf/config.js';
import type { GgufMetadata, GgufValue } from '../../src/files/gguf/values.js';
import { type GgufInput, ggufDataBytes, writeGguf } from '../../src/files/gguf/writer.js';
import { ggufTokenizerMetadata } from '../../src/tokenizer/gguf/gguf-tokenizer.js';
import { GGML_TYPES, type GgmlType, ggmlBytes } from '../ggml-types.js';
import type { Numbers } from '../numbers.js';
import { configJson } from '../random-checkpoint.js';
import { randomNumbers } from '../random-weights.js';
import type { Shape } from '../shapes.js';
import { writeOnce } from '../write-once.js';
import { madeUpTokenizer } from './vocabulary.js';

export function makeRandomGguf(path: string, shape: Shape, type: GgmlType): Promise<void> {
  return makeGguf(path, shape, randomNumbers(), type);
}

/** Makes the file `path` if it is not there yet. */
export async function makeGguf(
  path: string,
  shape: Shape,
  numbers: Numbers,
  type: GgmlType,
): Promise<void> {
  const [metadata, tensors] = [llamaMetadata(shape, type), llamaTensors(shape, numbers, type)];
  await writeOnce(path, writeGguf(metadata, tensors), ggufDataBytes(metadata, tensors));
}

/**
 * All matrices in one format, but for the embedding: where the others are quantized it is f16, as
 * in `src/engines/wasm`.
 */
export function llamaTensors(
  { V, D, F, L, H, K }: Shape,
  numbers: Numbers,
  type: GgmlType,
): GgufInput[] {
  const keyValue = (D / H) * K;
  const piecesOf = (source: string, count: number, as = type) =>
    numbers.matrix(`${source}.weight`, count, as);
  const input = (
    name: string,
    shape: readonly number[],
    chunks: Iterable<Uint8Array>,
    as: GgmlType = type,
  ): GgufInput => {
    return { name: `${name}.weight`, dtype: GGML_TYPES[as].dtype, shape, chunks };
  };
  const matrix = (name: string, source: string, out: number, columns: number, as = type) =>
    input(name, [out, columns], piecesOf(source, out * columns, as), as);
  const rotated = (name: string, source: string, heads: number) => {
    const rows = (D / H) * heads;
    return input(
      name,
      [rows, D],
      interleaveHalves(piecesOf(source, rows * D), heads, D / H, ggmlBytes(type, D)),
    );
  };
  const norm = (name: string, source: string) =>
    input(name, [D], [bytesOf(numbers.vector(`${source}.weight`, D))], 'f32');

  const isQuantized = type === 'q8_0' || type === 'q4_0';
  const tensors = [matrix('token_embd', 'model.embed_tokens', V, D, isQuantized ? 'f16' : type)];
  for (let layer = 0; layer < L; layer++) {
    const [to, from] = [`blk.${layer}`, `model.layers.${layer}`];
    tensors.push(
      norm(`${to}.attn_norm`, `${from}.input_layernorm`),
      rotated(`${to}.attn_q`, `${from}.self_attn.q_proj`, H),
      rotated(`${to}.attn_k`, `${from}.self_attn.k_proj`, K),
      matrix(`${to}.attn_v`, `${from}.self_attn.v_proj`, keyValue, D),
      matrix(`${to}.attn_output`, `${from}.self_attn.o_proj`, D, D),
      norm(`${to}.ffn_norm`, `${from}.post_attention_layernorm`),
      matrix(`${to}.ffn_gate`, `${from}.mlp.gate_proj`, F, D),
      matrix(`${to}.ffn_up`, `${from}.mlp.up_proj`, F, D),
      matrix(`${to}.ffn_down`, `${from}.mlp.down_proj`, D, F),
    );
  }
  return [...tensors, norm('output_norm', 'model.norm'), matrix('output', 'lm_head', V, D)];
}

/**
 * llama.cpp rotates number 2i of a head with 2i + 1, Hugging Face i with i + d/2: row i of the
 * first half of each head, then row i of its second half. `w.reshape(heads, 2, d/2,
 * columns).swapaxes(1, 2)`.
 */
function* interleaveHalves(
  chunks: Iterable<Uint8Array>,
  heads: number,
  headDim: number,
  rowBytes: number,
): Generator<Uint8Array> {
  const from = Buffer.concat([...chunks]);
  const to = new Uint8Array(from.length);
  for (let row = 0; row < heads * headDim; row++) {
    const i = row % headDim;
    const source = row - i + Math.floor(i / 2) + (i % 2) * (headDim / 2);
    to.set(from.subarray(source * rowBytes, (source + 1) * rowBytes), row * rowBytes);
  }
  yield to;
}

export function llamaMetadata(shape: Shape, type: GgmlType): GgufMetadata {
  return new Map<string, GgufValue>([
    ...ggufConfigMetadata(parseConfig(configJson(shape))),
    ['general.name', { type: 'string', value: 'random' }],
    ['general.file_type', { type: 'u32', value: FILE_TYPES[GGML_TYPES[type].dtype].id }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ...ggufTokenizerMetadata(madeUpTokenizer(shape.V), shape.V),
  ]);
}
