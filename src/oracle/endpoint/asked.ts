/** What is asked of an engine that runs, and what it answers. */
import type { Tensor } from '../../base/tensor.js';

/**
 * What a server says of the tokens that may follow a place of the text. They are not all: the
 * likeliest ones and the text's own next token, or that one alone.
 */
export interface Scores {
  /** The place, counted from 0: the text up to and with this token was read. */
  readonly position: number;
  /** Natural log-probabilities by token id; NaN where the server has no number. */
  readonly logprobs: ReadonlyMap<number, number>;
}

interface Answered {
  /** What answered, such as `llama.cpp b6500 at http://127.0.0.1:8080`. */
  readonly engine: string;
  readonly tokens: readonly number[];
  /** What is to be known of how it was asked, and of what could not be used. */
  readonly notes: readonly string[];
}

/** Scores of some tokens, with ascending positions. */
export interface Asked extends Answered {
  readonly scores: readonly Scores[];
}

/** All logits of some positions. */
export interface AskedLogits extends Answered {
  readonly positions: readonly number[];
  /** [P, V] */
  readonly logits: Tensor;
}

/** How a server is asked. */
export interface AskOptions {
  /** Sent to the server as a bearer token. It is in no message. */
  readonly apiKey?: string | undefined;
  /** Default: the first model that the server lists. */
  readonly modelName?: string | undefined;
  /**
   * The places asked about. Default: all, if they can be had in one request; otherwise 64 of them.
   */
  readonly positions?: readonly number[] | undefined;
  /** Of how many of the likeliest tokens. Default 20, which is what most servers allow. */
  readonly topLogprobs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many of the requests are answered. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** How long to wait for one answer. Default 300,000, after which Node's `fetch` gives up. */
  readonly timeoutMs?: number | undefined;
  /**
   * The token that reads like this, blanks included, for servers that name tokens by their texts;
   * undefined if there is none, or more than one. With `isExact` the server writes tokens that are
   * no text as their bytes, so that a text is not the rest of one. See `tokenNames`.
   */
  readonly tokenOf: (piece: string, isExact?: boolean) => number | undefined;
  /**
   * The text that is read as these tokens, for servers that take only texts. They put BOS in front
   * themselves, so it has none. Undefined if there is no such text.
   */
  readonly textOf: (ids: readonly number[]) => string | undefined;
}
