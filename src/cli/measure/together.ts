/** How fast many texts are written at once, for `llama-32k bench --concurrency`. */
import type { Llama } from '../../model/llama.js';
import { idsOnly } from '../../text/ids-only.js';
import { createScheduler } from '../../text/scheduler/scheduler.js';

/** Of texts that are written at once, when all prompts were read. */
export interface Together {
  readonly concurrency: number;
  /** Of all texts. */
  readonly decode_tokens_per_second: number;
  /** Between two tokens of one text: the median, and what 99 of 100 are within. */
  readonly p50_seconds: number;
  readonly p99_seconds: number;
}

/**
 * Writes `concurrency` texts in shared passes, none of which looks anything up: made-up tokens
 * repeat themselves as no text does.
 */
export async function measureTogether(
  model: Llama,
  concurrency: number,
  { promptTokens, newTokens }: { readonly promptTokens: number; readonly newTokens: number },
  signal: AbortSignal,
): Promise<Together> {
  const limits = { maxRunning: concurrency, lookup: false };
  const scheduler = createScheduler(model, idsOnly(model.config), limits);
  const times = await Promise.all(
    Array.from({ length: concurrency }, async (_, user) => {
      const options = { maxNewTokens: newTokens, stopTokenIds: [], user: `${user}`, signal };
      const prompt = madeUp(promptTokens, user, model.config.vocabSize);
      const seconds: number[] = [];
      for await (const _step of scheduler.generate(prompt, options))
        seconds.push(performance.now() / 1000);
      return seconds;
    }),
  );
  return { concurrency, ...figuresOf(times) };
}

const madeUp = (length: number, user: number, vocabSize: number): number[] =>
  Array.from({ length }, (_, position) => ((position + user) * 7919) % vocabSize);

/** From when each text had each of its tokens. */
export function figuresOf(times: readonly (readonly number[])[]): Omit<Together, 'concurrency'> {
  const begin = Math.max(...times.map(([first]) => first));
  const end = Math.max(...times.map(seconds => seconds.at(-1)!));
  const after = times.flat().filter(time => time > begin).length;
  const gaps = times.flatMap(seconds => seconds.slice(1).map((time, i) => time - seconds[i]));
  return {
    decode_tokens_per_second: after === 0 ? 0 : after / (end - begin),
    p50_seconds: quantile(gaps, 0.5) ?? 0,
    p99_seconds: quantile(gaps, 0.99) ?? 0,
  };
}

/** The smallest of `numbers` that `part` of them, 0 … 1, are within; undefined if there is none. */
export function quantile(numbers: readonly number[], part: number): number | undefined {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

export function describeTogether(together: Together): string {
  const milliseconds = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`;
  return [
    `${together.concurrency} at once: ` +
      `${together.decode_tokens_per_second.toFixed(2)} tokens/s in all; between two of one`,
    `            ${milliseconds(together.p50_seconds)} (median), at most ` +
      `${milliseconds(together.p99_seconds)} for 99 of 100`,
    '',
  ].join('\n');
}
