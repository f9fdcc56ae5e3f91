/** docs/api.md is written by this: `npm run api-docs`. It fails when the file is stale. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Endpoint } from '../../src/server/endpoints/endpoint.js';
import { jsonSchemaOf } from '../../src/server/endpoints/openapi.js';
import { ENDPOINTS } from '../../src/server/endpoints/table.js';
import { REFUSED } from '../../src/server/schemas/validate.js';

interface Field {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly anyOf?: readonly Field[];
  readonly oneOf?: readonly Field[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Field;
}

const HEAD = `# The HTTP API

Written by \`npm run api-docs\` from the schemas that requests are checked with (\`src/server\`);
\`/openapi.json\` of a running server has the same for programs. A field that is not listed is
refused with 400 \`unsupported_parameter\`; the last table says why, of those that people send.
With \`--lenient\` it is left out, and named in \`warnings\` of the answer. \`null\` is how a field
is left out, too.

Errors are \`{"error": {"message", "type", "param", "code"}}\`: 400 what is wrong with the request,
of \`context_length_exceeded\` with \`n_prompt_tokens\` and \`n_ctx\`, of
\`too_many_choices\` what has more texts than are taken at once; 401 no key, or a wrong one;
403 another site's page, or a host name that is not known; 404 no such model or route; 405; 413 a
body that is too large; 415 not JSON; 429 \`queue_full\`, with Retry-After; 500; 503 loading,
shutting down, or out of memory; 504 \`request_timeout\`. Every answer has \`x-request-id\`, the
client's own if it sent one.

\`usage\` tells what was computed: of the prompt, \`prompt_tokens_details.cached_tokens\` were known
from earlier requests and not read again; \`completion_tokens_details\` has how many tokens were
computed ahead of their turn, because the text had gone on so before: those that came
(\`accepted_prediction_tokens\`), and those that did not (\`rejected_prediction_tokens\`), which are
no part of \`completion_tokens\`. No answer depends on either.
`;

const REFUSALS = `## Fields that are refused

Always, or, where a table above has them, unless they change nothing. Why, and what to do instead:

| field | why |
|---|---|
${Object.entries(REFUSED)
  .map(([field, why]) => `| \`${field}\` | ${why} |`)
  .join('\n')}`;

function typeOf(field: Field): string {
  const forms = field.anyOf ?? field.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(typeOf))].filter(isType).join(' or ');
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum !== undefined) return field.enum.map(each => `\`${each}\``).join(', ');
  const types = [field.type ?? 'any'].flat().filter(isType);
  return types.map(type => (type === 'array' ? listOf(field) : type)).join(' or ');
}

/** That a field may be null is said once, above. */
const isType = (type: string): boolean => type !== 'null' && type !== '';

const listOf = ({ items }: Field): string =>
  items === undefined || typeOf(items) === 'object' ? 'list' : `list of ${typeOf(items)}`;

function section({ method, path, summary, body }: Endpoint): string {
  const lines = [`## ${method} ${path.replace(/\{.*\}/, '')}`, '', summary];
  if (body === undefined) return lines.join('\n');
  const { properties = {}, required = [] } = jsonSchemaOf(body);
  const rows = Object.entries(properties as Record<string, Field>).map(([name, field]) => {
    const isRequired = required.includes(name) ? ' (required)' : '';
    const about = field.description ?? '';
    return `| \`${name}\`${isRequired} | ${typeOf(field)} | ${about.replaceAll('|', '\\|')} |`;
  });
  return [...lines, '', '| field | type | what it does |', '|---|---|---|', ...rows].join('\n');
}

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
  const parts = [HEAD.trim(), ...ENDPOINTS.map(section), REFUSALS];
  const text = `${parts.join('\n\n')}\n`;
  await expect(text).toMatchFileSnapshot('../../docs/api.md');
});
