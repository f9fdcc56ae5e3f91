import { afterAll, expect, it } from 'vitest';
import { Client, Lines, loaded, serverWith } from './support.js';

const log = new Lines();
const server = serverWith({ log });
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const INFO_LEVEL = 30;

it.each([
  ['/v1/completions', { prompt: 'Mira', stop_token_ids: [] }],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }], stop_token_ids: [] }],
  ['/v1/trace', { tokens: new Array(2000).fill(300), positions: [0] }],
])(
  'a client of %s that is gone before its answer is 499 in the log, and no error',
  async (path, body) => {
    log.all.length = 0;
    const gone = new AbortController();
    const answer = new Client(server).post(path, body, { signal: gone.signal });
    setTimeout(() => gone.abort(), 5);
    await answer;
    const { status, level, ...line } = log.all[0];
    expect([status, level]).toEqual([499, INFO_LEVEL]);
    expect(line).toMatchObject({ path, cancelled: true });
    expect(line).not.toHaveProperty('code');
  },
);
