/** Which type somebody computes in who does not say. */
import type { Checkpoint } from '../../model/checkpoint.js';
import { type FloatDType, isBlockDType } from '../../model/dtypes.js';

/**
 * That of the model's blocks, if it is quantized; else that in which the numbers were given, of
 * which float32 and float64 say no more than float32.
 */
export function assumedType({ tensors }: Checkpoint, given: readonly FloatDType[]): string {
  const bytes = new Map<string, number>();
  for (const { dtype, byteLength } of tensors.values())
    if (isBlockDType(dtype)) bytes.set(dtype, (bytes.get(dtype) ?? 0) + byteLength);
  const [most] = [...bytes].sort(([, a], [, b]) => b - a);
  if (most !== undefined) return most[0].toLowerCase();
  if (given.length > 0 && given.every(dtype => dtype === 'BF16')) return 'bf16';
  return given.length > 0 && given.every(dtype => dtype === 'F16') ? 'f16' : 'f32';
}
