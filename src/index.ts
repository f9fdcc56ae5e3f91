/**
 * llama-32k: everything that a program needs to run the model. The operations are in
 * `llama-32k/ops`.
 */

import './globals.js';

export { LlamaError, type LlamaErrorCode } from './base/errors.js';
export type { Leftover } from './base/partial.js';
export type { Floats, Tensor } from './base/tensor.js';
export { type ConvertOptions, convertModel } from './convert/convert.js';
export { type QuantizeOptions, quantizeModel } from './convert/quantize.js';
export type { Written } from './convert/rewrite.js';
export { ExactEngine } from './engines/exact/exact-engine.js';
export type { ExactOptions } from './engines/exact/options.js';
export type { Wide } from './engines/wasm/choice/compile-kernels.js';
export type { CacheFormat } from './engines/wasm/memory/cache-formats.js';
export type { WeightFormat } from './engines/wasm/memory/weight-formats.js';
export type { WasmOptions } from './engines/wasm/options.js';
export { WasmEngine } from './engines/wasm/wasm-engine.js';
export { parseConfig } from './files/config-json/config-json.js';
export {
  type DownloadOptions,
  type DownloadProgress,
  downloadModel,
} from './hub/download-model.js';
export { openChatFormat } from './load/chat-format.js';
export {
  EMBEDDED_MODEL,
  type LoadedModel,
  loadLlama,
  loadModel,
} from './load/model.js';
export type { LoadOptions } from './load/options.js';
export { openDiskCache } from './load/prefix-cache/open.js';
export type { DiskCacheOptions } from './load/prefix-cache/options.js';
export { openTokenizer } from './load/tokenizer.js';
export type { ReadableModel } from './model/chunks.js';
export type { LlamaConfig } from './model/config.js';
export type { BatchResult, Engine, ForwardOptions, PageCounts } from './model/engine.js';
export type { EngineSequence } from './model/engine-sequence.js';
export { Llama } from './model/llama.js';
export type { PageParts, Row, Sequence } from './model/sequence.js';
export { recordTrace, type Trace } from './model/trace.js';
export type { FactorScaling } from './ops/rope-scaling/factors.js';
export type { LinearScaling } from './ops/rope-scaling/linear.js';
export type { Llama3Scaling } from './ops/rope-scaling/llama3.js';
export type { RopeScaling } from './ops/rope-scaling/rope-scaling.js';
export {
  type ChatFormat,
  type ChatTokenizer,
  cardFormat,
  type ReplyEnds,
  templateFormat,
} from './text/chat/format.js';
export { ChatTemplate } from './text/chat/template.js';
export { complete, type GenerateTokenizer, generate } from './text/generate.js';
export type { GeneratedText } from './text/generated-text.js';
export { Generation, type TextModel, type TextTokenizer } from './text/generation.js';
export { jsonConstraint } from './text/grammar/json-constraint.js';
export type { ByteTokenizer } from './text/grammar/tokens/token-trie.js';
export { idsOnly } from './text/ids-only.js';
export type { LookupTally } from './text/lookup/lookup.js';
export type { GenerateOptions, GenerateProgress, TextConfig } from './text/options.js';
export type { GenerateModel, PassOptions } from './text/pass.js';
export type { PerplexityOptions, ScoredChunk } from './text/perplexity/options.js';
export { type Perplexity, type PerplexityModel, perplexity } from './text/perplexity/perplexity.js';
export type { TakenPrefix } from './text/prefix-cache/kept-pages.js';
export type { PageStore, PageStoreStats } from './text/prefix-cache/page-store.js';
export {
  PrefixCache,
  type PrefixCacheOptions,
  type PrefixCacheStats,
} from './text/prefix-cache/prefix-cache.js';
export {
  CARD_STOP_STRINGS,
  type EncodePromptOptions,
  encodePrompt,
  formatPrompt,
  type Message,
  type PromptTokenizer,
  type PromptWarningsOptions,
  promptWarnings,
} from './text/prompt.js';
export type { GenerationResult, GenerationStep, Timings } from './text/result.js';
export type { TokenConstraint } from './text/sampling/constraint.js';
export {
  type FromHuggingFace,
  type HuggingFaceOptions,
  huggingFaceOptions,
  MODEL_CARD_SNIPPET,
} from './text/sampling/hugging-face.js';
export { logprobsOf, type StepLogprobs, type TokenLogprob } from './text/sampling/logprobs.js';
export type { SamplingOptions } from './text/sampling/options.js';
export type { ScheduledOptions, SchedulerOptions } from './text/scheduler/options.js';
export type { KnownTexts } from './text/scheduler/prefixes.js';
export { createScheduler, type Scheduler } from './text/scheduler/scheduler.js';
export { type CachedPositions, type TextRow, TokenSequence } from './text/token-sequence.js';
export type { Span } from './tokenizer/encode/spans.js';
export type { AddedToken } from './tokenizer/model/added-tokens.js';
export { type EncodeOptions, Tokenizer } from './tokenizer/tokenizer.js';
