/** The specification, operation by operation. */
export { add } from './add.js';
export { attention, type HeadShape, type Visible } from './attention.js';
export { embedding } from './embedding.js';
export { exp } from './exp.js';
export { log } from './log.js';
export { matmul } from './matmul.js';
export { rmsnorm } from './rmsnorm.js';
export { rope, ropeFrequencies, ropeTable } from './rope.js';
export type { FactorScaling } from './rope-scaling/factors.js';
export type { LinearScaling } from './rope-scaling/linear.js';
export type { Llama3Scaling } from './rope-scaling/llama3.js';
export type { RopeScaling } from './rope-scaling/rope-scaling.js';
export { type NumericsName, ROUNDINGS, type Rounding } from './rounding.js';
export { cos, sin } from './sin-cos.js';
export { softmax } from './softmax.js';
export { swiglu } from './swiglu.js';
