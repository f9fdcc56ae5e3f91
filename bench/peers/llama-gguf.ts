/**
 * A Llama as llama.cpp reads it: the same function of the same numbers as the Hugging Face checkpoint.
 *
 * Two things differ. Rows of Q and K are in another order, because llama.cpp rotates number 2i of a head with 2i + 1, and Hugging Face i with i + d/2. And
 * a vocabulary is part of the file; this one is made up, since only ids are ever given.
 */
import { bytesOf } from '../../src/checkpoint/dtypes.js';
import { type GgmlType, ggmlBytes } from '../ggml-types.js';
import type { Numbers } from '../numbers.js';
import { randomNumbers } from '../random-weights.js';
import type { Shape } from '../shapes.js';
import { writeOnce } from '../write-once.js';
import { type GgufTensor, type GgufValue, ggufDataBytes, writeGguf } from './gguf.js';

export function makeRandomGguf(path: string, shape: Shape, type: GgmlType): Promise<void> {
  return makeGguf(path, shape, randomNumbers(), type);
}

/** Makes the file `path` if it is not there yet. */
export async function makeGguf(path: string, shape: Shape, numbers: Numbers, type: GgmlType): Promise<void> {
  const tensors = llamaTensors(shape, numbers, type);
  await writeOnce(path, writeGguf(llamaMetadata(shape, type), tensors), ggufDataBytes(tensors));
}

/** All matrices in one format, but for the embedding: where the others are quantized it is f16, as in `src/kernels/wasm`. */
export function llamaTensors({ V, D, F, L, H, K }: Shape, numbers: Numbers, type: GgmlType): GgufTensor[] {
  const keyValue = (D / H) * K;
  const matrix = (name: string, source: string, out: number, columns: number, as = type): GgufTensor => {
    const chunks = numbers.matrix(`${source}.weight`, out * columns, as);
    return { name: `${name}.weight`, type: as, shape: [out, columns], chunks };
  };
  const rotated = (name: string, source: string, heads: number): GgufTensor => {
    const tensor = matrix(name, source, (D / H) * heads, D);
    return { ...tensor, chunks: interleaveHalves(tensor.chunks, heads, D / H, ggmlBytes(type, D)) };
  };
  const norm = (name: string, source: string): GgufTensor => {
    const chunks = [bytesOf(numbers.vector(`${source}.weight`, D))];
    return { name: `${name}.weight`, type: 'f32', shape: [D], chunks };
  };
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

/** Row i of the first half of each head, then row i of its second half: `w.reshape(heads, 2, d/2, columns).swapaxes(1, 2)`. */
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

export function llamaMetadata(
  { V, D, F, L, H, K, positions, ropeFactor }: Shape,
  type: GgmlType,
): Record<string, GgufValue> {
  const u32 = (value: number) => ({ type: 'u32', value }) as const;
  const f32 = (value: number) => ({ type: 'f32', value }) as const;
  const string = (value: string) => ({ type: 'string', value }) as const;
  const { pieces, scores, types } = vocabulary(V);
  return {
    'general.architecture': string('llama'),
    'general.name': string('random'),
    'general.file_type': u32({ f32: 0, f16: 1, q4_0: 2, q8_0: 7, bf16: 32 }[type]),
    'general.quantization_version': u32(2),
    'llama.context_length': u32(positions),
    'llama.embedding_length': u32(D),
    'llama.block_count': u32(L),
    'llama.feed_forward_length': u32(F),
    'llama.attention.head_count': u32(H),
    'llama.attention.head_count_kv': u32(K),
    'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
    'llama.rope.dimension_count': u32(D / H),
    'llama.rope.freq_base': f32(10000),
    'llama.rope.scaling.type': string('linear'),
    'llama.rope.scaling.factor': f32(ropeFactor),
    'llama.vocab_size': u32(V),
    'tokenizer.ggml.model': string('llama'),
    'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: pieces },
    'tokenizer.ggml.scores': { type: 'array', of: 'f32', value: scores },
    'tokenizer.ggml.token_type': { type: 'array', of: 'i32', value: types },
    'tokenizer.ggml.unknown_token_id': u32(0),
    'tokenizer.ggml.bos_token_id': u32(1),
    'tokenizer.ggml.eos_token_id': u32(2),
  };
}

/** As llama.cpp wants a SentencePiece vocabulary: special pieces, all bytes, and made-up words for the rest. */
function vocabulary(size: number): { pieces: string[]; scores: number[]; types: number[] } {
  const special = ['<unk>', '<s>', '</s>'];
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const words = Array.from({ length: size - special.length - bytes.length }, (_, i) => `▁w${i.toString(36)}`);
  const [unknown, control, byte, normal] = [2, 3, 6, 1];
  return {
    pieces: [...special, ...bytes, ...words],
    scores: [...special.map(() => 0), ...bytes.map(() => 0), ...words.map((_, i) => -i)],
    types: [unknown, control, control, ...bytes.map(() => byte), ...words.map(() => normal)],
  };
}
