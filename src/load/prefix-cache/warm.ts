/** Reads a text for its keys and values alone, so that the texts that begin with it need not. */
import { commonLength } from '../../base/common-length.js';
import { check } from '../../base/errors.js';
import { readTokens } from '../../model/chunks.js';
import type { Llama } from '../../model/llama.js';
import { PAGE_POSITIONS, type Sequence, wholePages } from '../../model/sequence.js';
import { type PageStore, TOKENS_BETWEEN_KEEPS } from '../../text/prefix-cache/page-store.js';

export interface WarmOptions {
  readonly salt?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What `warm` came to, in tokens. */
export interface Warmed {
  /** In whole pages of 64: what is kept now. */
  readonly kept: number;
  /** How many of these were there before. */
  readonly known: number;
}

/**
 * Has the whole pages of `tokens` kept by `store`, computing those that are not. What was computed
 * until an abort, or an error, is kept.
 *
 * @throws {LlamaError} BAD_INPUT if there are less than 64 tokens; what `Llama.forward` throws; the
 * signal's reason
 */
export async function warm(
  model: Llama,
  store: PageStore,
  tokens: readonly number[],
  { salt = '', signal, onProgress }: WarmOptions = {},
): Promise<Warmed> {
  const end = PAGE_POSITIONS * wholePages(tokens.length);
  check(end > 0, 'BAD_INPUT', () => {
    return `${tokens.length} tokens are not kept: it takes a page, of ${PAGE_POSITIONS}`;
  });
  const pages = tokens.slice(0, end);
  const sequence = model.createSequence();
  try {
    const common = commonLength(await store.restore(sequence, pages, salt, signal), pages);
    const known = PAGE_POSITIONS * wholePages(common);
    sequence.truncate(known);
    await compute(model, sequence, pages, store, { salt, signal, onProgress });
    return { kept: end, known };
  } finally {
    await store.flush();
    store.keep(pages, sequence, salt); // what was dropped meanwhile, or not given yet
    await store.flush();
    sequence.dispose();
  }
}

async function compute(
  model: Llama,
  sequence: Sequence,
  tokens: readonly number[],
  store: PageStore,
  { salt = '', signal, onProgress }: WarmOptions,
): Promise<void> {
  while (sequence.length < tokens.length) {
    const start = sequence.length;
    const part = tokens.slice(start, start + TOKENS_BETWEEN_KEEPS);
    const reading = readTokens(model, part, {
      sequence,
      signal,
      wants: () => false,
      onProgress: done => onProgress?.(start + done, tokens.length),
    });
    for await (const _ of reading);
    store.keep(tokens, sequence, salt);
  }
}
