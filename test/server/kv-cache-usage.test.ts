/** How full the memory of keys and values is, as `/metrics` tells it. */
import { afterAll, expect, it } from 'vitest';
import { loadModel } from '../../src/load/model.js';
import { createServer, type LlamaServer } from '../../src/server/index.js';
import { Client, loaded, serverWith } from './support.js';

afterAll(() => loaded.close());

const PAGES = 32_768 / 64;

async function usageOf(server: LlamaServer): Promise<number> {
  const answer = await new Client(server).get('/metrics');
  expect(answer.status).toBe(200);
  const numbers = await answer.text();
  return Number(/^l32k_kv_cache_usage_ratio\{[^}]*\} (\S+)$/m.exec(numbers)?.[1]);
}

/** 200 tokens that are computed, in four pages, and one that is not. */
const body = { prompt: new Array(200).fill(300), max_tokens: 1 };

it('is that of all pages that are in use: of none, of four that are kept, of none', async () => {
  const server = serverWith();
  expect(await usageOf(server)).toBe(0);
  for (let i = 0; i < 3; i++) {
    await new Client(server).ask('/v1/completions', body);
    expect(await usageOf(server)).toBe(4 / PAGES);
  }
  await server.close();
  expect(await usageOf(server)).toBe(0);
});

it('counts a text while it is computed', async () => {
  const server = serverWith({ prefixCache: false });
  const endless = { prompt: 'Mira', stop_token_ids: [], stream: true };
  const { body: stream } = await new Client(server).post('/v1/completions', endless);
  const reader = stream!.getReader();
  await reader.read();
  expect(await usageOf(server)).toBeGreaterThanOrEqual(1 / PAGES);
  await reader.cancel();
  await server.close();
  expect(await usageOf(server)).toBe(0);
});

it('is not there with exact kernels, where nothing limits pages', async () => {
  await using exact = await loadModel(undefined, { kernels: 'exact' });
  const server = createServer(exact);
  expect(await usageOf(server)).toBeNaN();
  await server.close();
});
