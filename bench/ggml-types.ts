/** The number formats of llama.cpp that are measured here: sizes, and numbers ↔ bytes. */

import { roundToBF16, roundToF16 } from '../src/base/half.js';
import { encode } from '../src/files/dtypes.js';
import type { GgmlDType } from '../src/files/gguf/ggml-types.js';
import { type Block, dequantizeRow, quantizeRow } from '../test/asm/block-formats.js';

export type GgmlType = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0';

/** Numbers that share a scale in q8_0 and q4_0. */
export const BLOCK = 32;

/** Their names in `src/files`, and bytes that 32 numbers take. */
export const GGML_TYPES = {
  f32: { dtype: 'F32', blockBytes: 128 },
  f16: { dtype: 'F16', blockBytes: 64 },
  bf16: { dtype: 'BF16', blockBytes: 64 },
  q8_0: { dtype: 'Q8_0', blockBytes: 34 },
  q4_0: { dtype: 'Q4_0', blockBytes: 18 },
} as const satisfies Record<GgmlType, { dtype: GgmlDType; blockBytes: number }>;

/** Bytes that `count` numbers take; q8_0 and q4_0 have only whole blocks. */
export function ggmlBytes(type: GgmlType, count: number): number {
  return (count / BLOCK) * GGML_TYPES[type].blockBytes;
}

/** The bytes of `numbers` in llama.cpp's format `type`. */
export function encodeGgml(type: GgmlType, numbers: Float32Array): Uint8Array {
  switch (type) {
    case 'f32':
      return encode('F32', numbers);
    case 'f16':
      return encode('F16', numbers);
    case 'bf16':
      return encode('BF16', numbers);
    case 'q8_0':
    case 'q4_0': {
      const bytes = new Uint8Array(ggmlBytes(type, numbers.length));
      quantizeRow(type, numbers).forEach(({ scale, quants }, i) => {
        const at = ggmlBytes(type, i * BLOCK);
        bytes.set(encode('F16', Float32Array.of(scale)), at);
        bytes.set(type === 'q8_0' ? quants : nibbles(quants), at + 2);
      });
      return bytes;
    }
  }
}

/** What is left of `numbers` once they are stored as `type`. */
export function asStored(type: GgmlType, numbers: Float32Array): Float32Array {
  switch (type) {
    case 'f32':
      return numbers;
    case 'f16':
      return numbers.map(roundToF16);
    case 'bf16':
      return numbers.map(roundToBF16);
    case 'q8_0':
    case 'q4_0':
      return Float32Array.from(dequantizeRow(quantizeRow(type, numbers), numbers.length));
  }
}

/** Number i beside number i + 16, each 0 … 15. */
function nibbles(quants: Block['quants']): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => (quants[i] + 8) | ((quants[i + 16] + 8) << 4));
}
