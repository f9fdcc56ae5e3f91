/** `llama-32k/server`: a model behind an OpenAI-compatible HTTP API. */
export { fingerprintOf } from '../load/fingerprint.js';
export { createServer, type LlamaServer, type ServerSettings } from './create-server.js';
export { type Listening, listen } from './listen.js';
export { answerLoading } from './loading.js';
export type { ListenOptions, ServerOptions } from './settings/options.js';
