/**
 * Whatever comes is answered: with what was asked for, or with 4xx and an error in OpenAI's form.
 * `LLAMA_32K_FUZZ=100000 npx vitest run test/server/fuzz` sends that many requests, others each
 * time.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../../src/load/model.js';
import { Llama } from '../../../src/model/llama.js';
import { createServer, type ServerOptions } from '../../../src/server/index.js';
import { Client, type Json, Lines } from '../support.js';
import { checkAnswer, inTime } from './contract.js';
import { requestOf, requests, type Target } from './requests.js';

const asked = process.env.LLAMA_32K_FUZZ;
const RUNS = asked === undefined ? { numRuns: 700, seed: 16 } : { numRuns: Number(asked) };

/** So few positions that a text which nothing else ends is written in a blink. */
const maxPositionEmbeddings = 64;
const loaded = await loadModel(undefined, { threads: 1 });
const { engine, config } = loaded.model;
const model = new Llama({ ...config, maxPositionEmbeddings }, engine);
afterAll(() => loaded.close());

const ERROR_LEVEL = 50;

describe.each<[string, ServerOptions]>([
  ['strict', {}],
  ['lenient', { lenient: true, corsOrigin: ['*'] }],
])('a server that is %s', (_, options) => {
  it('answers whatever comes, logs a line for each, and has nothing left', async () => {
    const log = new Lines();
    const { tokenizer } = loaded;
    const own = { name: 'tiny-32k', alias: ['alias'], log, maxBody: 0.01, ...options };
    const server = createServer({ model, tokenizer, ...own });
    const { targets, paths } = await endpointsOf(new Client(server));
    log.all.length = 0;
    let sent = 0;
    const property = fc.asyncProperty(requests(targets, paths), async described => {
      const request = requestOf(described);
      if (request === undefined) return;
      sent++;
      await inTime(server.fetch(request).then(answer => checkAnswer(answer, described)));
    });
    await fc.assert(property, RUNS);
    expect(sent).toBeGreaterThan(0.9 * RUNS.numRuns);
    expect(log.all).toHaveLength(sent);
    expect(log.all.filter(({ level }) => level >= ERROR_LEVEL)).toEqual([]);
    const metrics = await (await new Client(server).get('/metrics')).text();
    expect(metrics).toMatch(/^l32k_requests_running\{[^}]*\} 0$/m);
    expect(metrics).toMatch(/^l32k_requests_waiting\{[^}]*\} 0$/m);
    await server.close();
  }, 3_600_000);
});

/** As OpenAPI tells them, so that no endpoint is forgotten. */
async function endpointsOf(client: Client): Promise<{ targets: Target[]; paths: string[] }> {
  const description = (await (await client.get('/openapi.json')).json()) as Json;
  const operations = Object.entries<Json>(description.paths);
  const targets = operations.flatMap(([path, { post }]) => {
    const schema = post?.requestBody.content['application/json'].schema;
    return schema === undefined ? [] : [{ path, schema }];
  });
  return { targets, paths: operations.filter(([, { get }]) => get).map(([path]) => path) };
}
