/**
 * The output of one text: from tokens to what can be shown, and when to end.
 *
 * What is held back: a stop token (never shown), incomplete UTF-8 (in the tokenizer's decoder), and
 * what may become a stop string (`stop.ts`). What is still held when the output ends, and is no
 * stop string, comes with the last token.
 *
 * The decoder sees the prompt first, so that prompt and output read as one text: the space of a
 * first word "▁Paris" is shown after "The capital is", and is not after BOS alone. (Decoding the
 * new tokens by themselves would always drop it.)
 */
import type { LlamaError } from '../base/errors.js';
import { StopMatcher } from './stop.js';

/** What this needs of a tokenizer; `src/tokenizer` is one. */
export interface StreamTokenizer {
  /** Set if no token has a text, as with `idsOnly`: why, for whoever asks for one. */
  readonly refusal?: LlamaError | undefined;
  /** A decoder for one text. */
  streamDecoder(): {
    /** The text that is complete with this token. */
    push(id: number): string;
    /** What is left at the end; bytes that are no characters become U+FFFD. */
    flush(): string;
  };
}

export interface End {
  /**
   * `eos`: a stop token; `stop`: a stop string; `length`: as many tokens as allowed; `abort`: the
   * signal, if option `onAbort` is `return`.
   */
  readonly finishReason: 'eos' | 'stop' | 'length' | 'abort';
  /** The token or the text that ended it; undefined for `length` and `abort`. */
  readonly stoppedBy: number | string | undefined;
}

export class Output {
  /** All that was shown; after the end, all there is. */
  text = '';
  /** Set when the output is complete. */
  end: End | undefined;
  readonly #decoder: ReturnType<StreamTokenizer['streamDecoder']>;
  readonly #matcher: StopMatcher;
  readonly #stopTokenIds: ReadonlySet<number>;

  /** Throws the tokenizer's refusal if it has one and there are stop strings. */
  constructor(
    tokenizer: StreamTokenizer,
    prompt: readonly number[],
    stop: readonly string[],
    stopTokenIds: readonly number[],
  ) {
    if (tokenizer.refusal !== undefined && stop.length > 0) throw tokenizer.refusal;
    this.#decoder = tokenizer.streamDecoder();
    for (const id of prompt) this.#decoder.push(id);
    this.#matcher = new StopMatcher(stop);
    this.#stopTokenIds = new Set(stopTokenIds);
  }

  /** Takes the next token, `isLast` if no more is allowed; gives the text that can be shown now. */
  push(token: number, isLast: boolean): string {
    const isStop = this.#stopTokenIds.has(token);
    const { text, stop } = this.#matcher.push(isStop ? '' : this.#decoder.push(token));
    if (stop !== undefined) this.end = { finishReason: 'stop', stoppedBy: stop };
    else if (isStop) this.end = { finishReason: 'eos', stoppedBy: token };
    else if (isLast) this.end = { finishReason: 'length', stoppedBy: undefined };
    const shown = this.end === undefined ? text : text + this.#rest();
    this.text += shown;
    return shown;
  }

  /** Ends it where it is; gives the text that was held back. */
  abort(): string {
    this.end = { finishReason: 'abort', stoppedBy: undefined };
    const rest = this.#rest();
    this.text += rest;
    return rest;
  }

  #rest(): string {
    return this.#matcher.push(this.#decoder.flush()).text + this.#matcher.flush();
  }
}
