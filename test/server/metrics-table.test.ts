import { readFile } from 'node:fs/promises';
import { afterAll, expect, it } from 'vitest';
import { packageFile } from '../../src/base/package.js';
import { Client, loaded, serverWith } from './support.js';

const server = serverWith();
afterAll(async () => {
  await server.close();
  await loaded.close();
});

it('docs/serving.md has a row for each metric of ours, in the order of /metrics', async () => {
  const text = await (await new Client(server).get('/metrics')).text();
  const told = [...text.matchAll(/^# HELP (l32k_\w+) (.*)\n# TYPE \S+ (\w+)$/gm)];
  const rows = told.map(([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`);
  expect(rows.length).toBeGreaterThan(10);
  const page = await readFile(packageFile('docs/serving.md'), 'utf8');
  expect(page.match(/^\| `l32k_.*$/gm)).toEqual(rows);
});

it('a label has each reason once, however many choices a request has', async () => {
  const client = new Client(server);
  await client.ask('/v1/completions', { prompt: 'Mira', n: 3, max_tokens: 2, seed: 1 });
  const text = await (await client.get('/metrics')).text();
  expect(text).toMatch(/^l32k_request_success_total\{finished_reason="length",[^}]*\} 1$/m);
});
