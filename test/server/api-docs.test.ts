/** docs/api.md is written by this: `npm run api-docs`. It fails when the file is stale. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { jsonSchemaOf } from '../../src/server/endpoints/openapi.js';
import { ENDPOINTS } from '../../src/server/endpoints/table.js';
import { apiDocs } from './api-docs.js';

it('every field of every request is sent by a test', async () => {
  const files = [
    ...['completions', 'chat', 'errors', 'prefix-cache', 'stream', 'tokens'].map(
      name => `../server/${name}.test.ts`,
    ),
    ...['openai', 'together'].map(name => `../clients-js/${name}.test.ts`),
  ];
  const texts = files.map(file => readFileSync(new URL(file, import.meta.url), 'utf8'));
  const sent = texts.join('\n');
  for (const { body, path } of ENDPOINTS.filter(({ body }) => body !== undefined)) {
    const names = Object.keys(jsonSchemaOf(body!).properties ?? {});
    const missing = names.filter(name => !new RegExp(`\\b${name}\\b[:,]`).test(sent));
    expect(missing, path).toEqual([]);
  }
});

it('docs/api.md says what the schemas say', async () => {
  await expect(apiDocs()).toMatchFileSnapshot('../../docs/api.md');
});
