/** What the server answers, as far as the page uses it. */

/** An entry of GET /v1/models. */
export interface ServedModel {
  readonly id: string;
  readonly meta: { readonly n_ctx: number; readonly n_params: number; readonly n_vocab: number };
}

/** GET /version */
export interface Version {
  readonly version: string;
  readonly kernels: string;
  readonly system_fingerprint: string;
}

export interface ScoredToken {
  readonly token: string;
  /** Natural. */
  readonly logprob: number;
}

/** A token of the answer with the likeliest ones in its place, itself perhaps among them. */
export interface AnswerToken extends ScoredToken {
  readonly top_logprobs: readonly ScoredToken[];
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** How far a prompt is read, in tokens; those of the cache are among the processed ones. */
export interface PromptProgress {
  readonly total: number;
  readonly cache: number;
  readonly processed: number;
  readonly time_ms: number;
}

export interface Timings {
  readonly cache_n: number;
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly predicted_n: number;
  readonly predicted_per_second: number | null;
}

export type FinishReason = 'stop' | 'length';

/** An event of POST /v1/chat/completions. */
export interface ChatChunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string };
    readonly logprobs?: { readonly content: readonly AnswerToken[] } | null;
    readonly finish_reason: FinishReason | null;
  }[];
  readonly prompt_progress?: PromptProgress;
  readonly timings?: Timings;
  readonly usage?: Usage | null;
}
