/**
 * The model of `bench/random-checkpoint.ts` as llama.cpp reads it: the same numbers, but for the order of rows in Q and K, in which rope's pairs
 * lie differently. The speed is the same; the text, which nobody reads, is not.
 */
import { bytesOf, encode } from '../../src/checkpoint/dtypes.js';
import { BLOCK, normalTable, normWeights, tablePieces } from '../random-weights.js';
import type { Shape } from '../shapes.js';
import { writeOnce } from '../write-once.js';
import { GGML_TYPES, type GgmlType, type GgufTensor, type GgufValue, ggufDataBytes, writeGguf } from './gguf.js';

/** Makes the file `path` if it is not there yet, with all matrices in one format. */
export async function makeRandomGguf(path: string, shape: Shape, type: GgmlType): Promise<void> {
  const tensors = tensorsOf(shape, type, quantize(type, normalTable()));
  await writeOnce(path, writeGguf(metadata(shape, type), tensors), ggufDataBytes(tensors));
}

function tensorsOf({ V, D, F, L, H, K }: Shape, type: GgmlType, table: Uint8Array): GgufTensor[] {
  const keyValue = (D / H) * K;
  const matrix = (name: string, source: string, out: number, columns: number): GgufTensor => {
    const chunks = cut(table, type, `${source}.weight`, out * columns);
    return { name: `${name}.weight`, type, shape: [out, columns], chunks };
  };
  const norm = (name: string, source: string): GgufTensor => {
    const chunks = [bytesOf(normWeights(`${source}.weight`, D))];
    return { name: `${name}.weight`, type: 'f32', shape: [D], chunks };
  };
  const tensors = [matrix('token_embd', 'model.embed_tokens', V, D)];
  for (let layer = 0; layer < L; layer++) {
    const [to, from] = [`blk.${layer}`, `model.layers.${layer}`];
    tensors.push(
      norm(`${to}.attn_norm`, `${from}.input_layernorm`),
      matrix(`${to}.attn_q`, `${from}.self_attn.q_proj`, D, D),
      matrix(`${to}.attn_k`, `${from}.self_attn.k_proj`, keyValue, D),
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

function* cut(table: Uint8Array, type: GgmlType, name: string, count: number): Generator<Uint8Array> {
  const bytes = GGML_TYPES[type].blockBytes / BLOCK;
  for (const [start, end] of tablePieces(name, count)) yield table.subarray(start * bytes, end * bytes);
}

function quantize(type: GgmlType, numbers: Float32Array): Uint8Array {
  if (type === 'f32' || type === 'f16' || type === 'bf16') {
    return encode(type.toUpperCase() as 'F32' | 'F16' | 'BF16', numbers);
  }
  const { blockBytes } = GGML_TYPES[type];
  const bytes = new Uint8Array((numbers.length / BLOCK) * blockBytes);
  for (let i = 0; i < numbers.length / BLOCK; i++) {
    const block = numbers.subarray(i * BLOCK, (i + 1) * BLOCK);
    const extreme = block.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most));
    const scale = type === 'q8_0' ? Math.abs(extreme) / 127 : extreme / -8;
    const out = bytes.subarray(i * blockBytes, (i + 1) * blockBytes);
    out.set(encode('F16', Float32Array.of(scale)));
    const quants = type === 'q8_0' ? block.map(x => Math.round(x / scale)) : nibbles(block.map(x => x / scale));
    out.set(quants, 2);
  }
  return bytes;
}

/** Element i beside element i + 16. */
function nibbles(block: Float32Array): Uint8Array {
  const [low, high] = [0, 16].map(from => block.slice(from, from + 16).map(x => Math.min(15, Math.trunc(x + 8.5))));
  return Uint8Array.from(low, (x, i) => x | (high[i] << 4));
}

function metadata({ V, D, F, L, H, K, positions, ropeFactor }: Shape, type: GgmlType): Record<string, GgufValue> {
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
