/** llama-32k: everything that a program needs to run the model. The operations are in `llama-32k/ops`. */
export { type LlamaConfig, parseConfig } from './config.js';
export { LlamaError, type LlamaErrorCode } from './errors.js';
export { complete, type GenerateOptions, type GenerationResult, type GenerationStep, generate } from './generate.js';
export { ExactEngine, type ExactOptions } from './kernels/exact-engine.js';
export type { Row, Sequence } from './kernels/kernels.js';
export type { CacheFormat } from './kernels/wasm/cache-formats.js';
export type { WeightFormat } from './kernels/wasm/formats.js';
export { WasmEngine, type WasmOptions } from './kernels/wasm/wasm-engine.js';
export { EMBEDDED_MODEL, type LoadedModel, type LoadOptions, loadModel } from './load.js';
export type { Engine, ForwardOptions } from './model/engine.js';
export { Llama } from './model/llama.js';
export { recordTrace, type Trace } from './model/trace.js';
export { CARD_STOP_STRINGS, encodePrompt, formatPrompt, type Message, promptWarnings } from './prompt.js';
export { huggingFaceOptions, MODEL_CARD_SNIPPET } from './sampling/hugging-face.js';
export type { Floats, Tensor } from './tensor.js';
export { Tokenizer } from './tokenizer/tokenizer.js';
