export { add } from './add';
export { attentionF16, attentionF32, attentionQ8 } from './attention';
export { rebiasF16, widenBF16, widenF16 } from './convert';
export { embedBF16, embedF16, embedF32 } from './embedding';
export { expRange } from './exp';
export {
  matmulQ2K,
  matmulQ3K,
  matmulQ4,
  matmulQ41,
  matmulQ4K,
  matmulQ5,
  matmulQ51,
  matmulQ5K,
  matmulQ6K,
  matmulQ8,
} from './matmul-blocks';
export { matmulBF16, matmulF16, matmulF32 } from './matmul-float';
export { packBF16, packF16, packF32, packPairs } from './pack';
export { packQ4, packQ8 } from './pack-blocks';
export { quantize14, quantize8, quantize8K, scaleForF16 } from './quantize';
export {
  repackQ2K,
  repackQ3K,
  repackQ4,
  repackQ41,
  repackQ4K,
  repackQ5,
  repackQ51,
  repackQ5K,
  repackQ6K,
  repackQ8,
} from './repack';
export { rmsnorm } from './rmsnorm';
export { rope } from './rope';
export { storeKeyValueF16, storeKeyValueF32, storeKeyValueQ8 } from './store-key-value';
export { swiglu } from './swiglu';
