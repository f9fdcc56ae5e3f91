/** Prompts that begin alike are read once, and answered as if each had been read. */
import { afterAll, describe, expect, it } from 'vitest';
import { Client, type Json, loaded, serverWith } from './support.js';

const warm = serverWith();
const cold = serverWith({ prefixCache: false });
const client = new Client(warm);
afterAll(async () => {
  await warm.close();
  await cold.close();
  await loaded.close();
});

const DOCUMENT = 'Mira found a small key under the old oak tree. '.repeat(20);
const PATH = '/v1/chat/completions';

const question = (about: string, more: object = {}) => ({
  messages: [{ role: 'user', content: `${DOCUMENT}\n${about}` }],
  seed: 5,
  max_tokens: 24,
  ...more,
});

const cachedOf = ({ usage }: Json): number => usage.prompt_tokens_details.cached_tokens;

describe('the prefix cache of a server', () => {
  it('reads a document once, and answers as without it', async () => {
    const first = await client.ask(PATH, question('What did she find?'));
    const second = await client.ask(PATH, question('Where was it?'));
    expect(cachedOf(first)).toBe(0);
    expect(cachedOf(second)).toBeGreaterThan(200);
    expect(cachedOf(second)).toBeLessThan(second.usage.prompt_tokens);
    const alone = await new Client(cold).ask(PATH, question('Where was it?'));
    expect(cachedOf(alone)).toBe(0);
    expect(second.choices).toEqual(alone.choices);
  });

  it('computes all of a prompt with cache_prompt: false, and says the same', async () => {
    const known = await client.ask(PATH, question('Who?'));
    const anew = await client.ask(PATH, question('Who?', { cache_prompt: false }));
    expect(cachedOf(known)).toBeGreaterThan(0);
    expect(cachedOf(anew)).toBe(0);
    expect(anew.choices).toEqual(known.choices);
  });

  it('finds nothing of another cache_salt, not even how it begins', async () => {
    const salted = (cache_salt: string) => client.ask(PATH, question('Why?', { cache_salt }));
    const before = await client.ask(PATH, question('Why?'));
    const answers = [await salted('one'), await salted('two'), await salted('one')];
    expect(answers.map(answer => cachedOf(answer) > 0)).toEqual([false, false, true]);
    for (const { choices } of answers) expect(choices).toEqual(before.choices);
    const response = await client.post(PATH, question('Why?', { cache_salt: '' }));
    expect(await response.json()).toMatchObject({ error: { param: 'cache_salt' } });
  });

  it('counts the n choices of a prompt once', async () => {
    const body = { prompt: `${DOCUMENT}?`, n: 2, seed: 1, max_tokens: 4 };
    const [first, second] = [
      await client.ask('/v1/completions', body),
      await client.ask('/v1/completions', body),
    ];
    expect(cachedOf(second)).toBe(second.usage.prompt_tokens - 1);
    expect(second.choices).toEqual(first.choices);
  });
});

it('is in the metrics, as is what lookups gave', async () => {
  const numbers = await (await client.get('/metrics')).text();
  const of = (name: string) =>
    Number(new RegExp(`^l32k_${name}_total\\{[^}]*\\} (\\d+)$`, 'm').exec(numbers)?.[1]);
  expect(of('prefix_cache_hits')).toBeGreaterThan(200);
  expect(of('prefix_cache_queries')).toBeGreaterThan(of('prefix_cache_hits'));
  expect(of('lookup_proposed_tokens')).toBeGreaterThanOrEqual(of('lookup_accepted_tokens'));
});

describe('lookup decoding of a server', () => {
  /** Nothing but full stops. */
  const logit_bias = { [loaded.tokenizer.encode('Stop.').at(-1)!]: 100 };
  const body = { prompt: 'Stop.', logit_bias, temperature: 0, max_tokens: 40 };

  it('is counted, and changes no answer', async () => {
    const { choices, usage } = await client.ask('/v1/completions', body);
    const plainly = serverWith({ lookup: false });
    const plain = await new Client(plainly).ask('/v1/completions', body);
    await plainly.close();
    expect(choices).toEqual(plain.choices);
    expect(usage.completion_tokens_details.accepted_prediction_tokens).toBeGreaterThan(0);
    expect(plain.usage.completion_tokens_details).toEqual({
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    });
  });
});
