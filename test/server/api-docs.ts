/** docs/api.md, made of the table of endpoints and of their schemas. */
import type { z } from 'zod';
import type { Endpoint } from '../../src/server/endpoints/endpoint.js';
import { answerSchemaOf, jsonSchemaOf } from '../../src/server/endpoints/openapi.js';
import { ENDPOINTS } from '../../src/server/endpoints/table.js';
import { errorAnswer } from '../../src/server/schemas/answers/error.js';
import { timings, usage } from '../../src/server/schemas/answers/text.js';
import { REFUSED } from '../../src/server/schemas/validate.js';

interface Field {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly anyOf?: readonly Field[];
  readonly oneOf?: readonly Field[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Field;
  readonly prefixItems?: readonly Field[];
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
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
body that is too large; 415 not JSON; 417 an expectation that is not known; 429 \`queue_full\`,
with Retry-After; 431 headers over 16 KiB; 500; 503 loading, shutting down, or out of memory; 504
\`request_timeout\`. Every answer to a request that can be read has \`x-request-id\`, the client's
own if it sent one.
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

function section({ method, path, summary, body, answers }: Endpoint): string {
  return [
    `## ${method} ${path.replace(/\{.*\}/, '')}`,
    summary,
    ...(body === undefined ? [] : [table(requestRows(body))]),
    ...answerParts(answers),
  ].join('\n\n');
}

function answerParts({ [JSON_TYPE]: whole, [STREAM]: event, ...others }: Endpoint['answers']) {
  const rows = whole === undefined ? [] : answerRows(whole);
  const eventRows = event === undefined ? [] : answerRows(event);
  return [
    ...Object.keys(others).map(type => `It is answered as ${type}.`),
    ...(rows.length > 0 ? ['The answer has:', table(rows)] : []),
    ...(eventRows.length > 0
      ? [IN_A_STREAM, table(eventRows.filter(row => !rows.includes(row)))]
      : []),
  ];
}

const [JSON_TYPE, STREAM] = ['application/json', 'text/event-stream'] as const;
const IN_A_STREAM = 'In a stream each event but the last, `[DONE]`, has that, and instead of it:';

const table = (rows: readonly string[]): string =>
  ['| field | type | what it does |', '|---|---|---|', ...rows].join('\n');

const row = (name: string, type: string, { description = '' }: Field): string =>
  `| ${name} | ${type} | ${description.replaceAll('|', '\\|')} |`;

/** What is inside of a field, its own sentence says. */
function requestRows(schema: z.ZodType): string[] {
  const { properties = {}, required = [] } = jsonSchemaOf(schema) as Field;
  return Object.entries(properties).map(([name, field]) => {
    const isRequired = required.includes(name) ? ' (required)' : '';
    return row(`\`${name}\`${isRequired}`, typeOf(field), field);
  });
}

const answerRows = (schema: z.ZodType): string[] => rowsOf(answerSchemaOf(schema) as Field);

/** With what is inside, but for what stands in several answers and has a table of its own. */
function rowsOf({ properties = {} }: Field, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([key, field]) => {
    const name = prefix + key;
    const own = row(`\`${name}\``, orNull(field), field);
    const inside = ['usage', 'timings'].includes(name) ? undefined : objectIn(field);
    if (inside === undefined) return [own];
    return [own, ...rowsOf(inside, `${name}${field.type === 'array' ? '[]' : ''}.`)];
  });
}

/** Of answers it has to be said. */
function orNull(field: Field): string {
  const isNullable = [field, ...(field.anyOf ?? [])].some(({ type }) => type === 'null');
  return [typeOf(field), isNullable ? 'null' : ''].filter(Boolean).join(' or ');
}

/** The object that a field is, or is a list of, or is unless it is null. */
function objectIn(field: Field): Field | undefined {
  if (field.properties !== undefined) return field;
  const forms = [field.items, ...(field.prefixItems ?? []), ...(field.anyOf ?? [])];
  return forms.find(form => form?.properties !== undefined);
}

const SHARED = `## usage and timings

What was computed, and how long it took, of all choices together. No answer depends on either.

\`usage\` has:

${table(answerRows(usage))}

\`timings\` has:

${table(answerRows(timings))}`;

const ERRORS = `## Errors

${table(answerRows(errorAnswer))}

A stream that has begun ends with such an event in place of \`[DONE]\`. While the model is loaded,
\`/health\` and \`/v1/health\` answer 503 in llama.cpp's words, which have no \`param\`:
\`{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}\`; all others
answer 503 \`loading\`, as above.`;

export const apiDocs = (): string => {
  const parts = [HEAD.trim(), ...ENDPOINTS.map(section), SHARED, ERRORS, REFUSALS];
  return `${parts.join('\n\n')}\n`;
};
