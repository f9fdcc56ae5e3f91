/**
 * Whatever bytes come over a connection: each answer is whole, and 4xx in JSON where it refuses;
 * there are no more answers than requests, and the server goes on. As many as the other fuzz test:
 * `LLAMA_32K_FUZZ=100000`.
 */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { listen } from '../../../src/server/index.js';
import { Client, Lines, loaded, serverWith } from '../support.js';
import { checkError } from './contract.js';
import { type Answer, answersIn, exchange } from './exchange.js';
import { connections } from './raw.js';

const asked = process.env.LLAMA_32K_FUZZ;
const RUNS = asked === undefined ? { numRuns: 40, seed: 16 } : { numRuns: Number(asked) / 5 };

const log = new Lines();
const server = serverWith({ log });
const listening = await listen(server.fetch, { port: 0 });
afterAll(async () => {
  listening.closeAtOnce();
  await server.close();
  await loaded.close();
});

it('answers whatever bytes come, and has nothing left', async () => {
  const port = Number(new URL(listening.url).port);
  let answered = 0;
  const property = fc.asyncProperty(fc.array(connections, { minLength: 5, maxLength: 5 }), all =>
    Promise.all(
      all.map(async sent => {
        const answers = answersIn(await exchange(port, sent));
        answers.forEach(checkAnswer);
        const final = answers.filter(({ status }) => status >= 200);
        expect(final.length).toBeLessThanOrEqual(sent.requests.length);
        answered += final.length;
      }),
    ).then(() => {}),
  );
  await fc.assert(property, RUNS);
  expect(answered).toBeGreaterThan(RUNS.numRuns);
  expect((await fetch(`${listening.url}/health`)).status).toBe(200);
  expect(log.all.filter(({ level }) => level >= 50)).toEqual([]);
  const metrics = () => new Client(server).get('/metrics').then(response => response.text());
  await expect.poll(metrics).toMatch(/^l32k_requests_running\{[^}]*\} 0$/m);
}, 3_600_000);

function checkAnswer({ status, headers, body }: Answer): void {
  if (status < 300) return;
  expect(status, body).toBeGreaterThanOrEqual(400);
  expect(status, body).toBeLessThan(500);
  expect(headers.get('content-type'), `${status} ${body}`).toBe('application/json');
  checkError(JSON.parse(body));
}
