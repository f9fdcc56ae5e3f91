/** A streamed completion of token ids, and when its tokens came. */

/** What is asked: a prompt of ids, and how many tokens to write after it. */
export interface Asked {
  readonly prompt: readonly number[];
  readonly tokens: number;
  /** Nothing is shared with texts of another salt. */
  readonly salt?: string;
  readonly signal?: AbortSignal;
}

/**
 * Yields the time of `performance.now()` whenever the client sees more of the text: its tokens come
 * one by one where nothing is looked up. Greedy, and without an end before `tokens`.
 */
export async function* tokenTimes(base: string, asked: Asked): AsyncGenerator<number> {
  const { prompt, tokens, salt, signal } = asked;
  const body = {
    ...{ prompt, max_tokens: tokens, temperature: 0, stop_token_ids: [] },
    ...{ stream: true, return_token_ids: true },
    ...(salt !== undefined && { cache_salt: salt }),
  };
  const answer = await fetch(`${base}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  let rest = '';
  for await (const text of answer.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (hasTokens(line)) yield performance.now();
  }
}

/** Not the end, and none of the lines that only say that somebody is there. */
function hasTokens(line: string): boolean {
  if (!line.startsWith('data: {')) return false;
  const { choices } = JSON.parse(line.slice(6)) as { choices: { token_ids?: number[] }[] };
  return (choices[0]?.token_ids?.length ?? 0) > 0;
}

/** Milliseconds until the first token. */
export async function firstToken(base: string, prompt: readonly number[]): Promise<number> {
  const start = performance.now();
  for await (const time of tokenTimes(base, { prompt, tokens: 1 })) return time - start;
  throw new Error('no token came');
}
