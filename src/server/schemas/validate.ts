/** A body, checked; what is wrong with it names the field. */
import type { z } from 'zod';
import { show } from '../../base/errors.js';
import { ApiError } from '../errors/api-error.js';
import { whatItMustBe } from './must-be.js';

type Issue = z.core.$ZodIssue;

const NO_TOOLS =
  'this model was not trained to call tools, and would only pretend to; describe in a message ' +
  'what it should write';

const NO_REASONING = 'this model does not reason apart from its answer';

/** Why some fields are refused that people send: always, or unless they change nothing. */
export const REFUSED: Readonly<Record<string, string>> = {
  tools: NO_TOOLS,
  tool_choice: NO_TOOLS,
  parallel_tool_calls: NO_TOOLS,
  functions: NO_TOOLS,
  function_call: NO_TOOLS,
  best_of: 'give n, and choose',
  suffix: 'this model was trained to go on with a text, not to fill one in',
  grammar:
    'give response_format with a JSON Schema, which may have patterns; docs/structured-output.md ' +
    'says what else',
  context_length_exceeded_behavior: 'nothing is ever cut off; what is too long is an error',
  modalities: 'there is only text',
  reasoning_effort: NO_REASONING,
  reasoning: NO_REASONING,
  chat_template_kwargs:
    'the chat template is given the messages only; send a prompt that you wrote yourself to ' +
    '/v1/completions',
  safety_model: 'there is no moderation here; have the answer judged by a model that does that',
  compliance:
    'what becomes of requests is for the operator of this server to promise; leave it out',
};

const isRefused = (field: PropertyKey): field is string =>
  typeof field === 'string' && Object.hasOwn(REFUSED, field);

/**
 * `body` as `schema` has it.
 * @throws {ApiError} 400, with `param`
 */
export function validate<T>(schema: z.ZodType<T>, body: unknown): T {
  const { data, error } = schema.safeParse(body);
  if (error === undefined) return data as T;
  throw toApiError(error.issues[0], body);
}

/** The same, leaving out fields that there are not: each becomes a warning. */
export function validateLeniently<T>(
  schema: z.ZodType<T>,
  body: unknown,
): { readonly data: T; readonly warnings: readonly string[] } {
  const known = structuredClone(body);
  const warnings: string[] = [];
  for (const issue of schema.safeParse(known).error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue;
    const holder = valueAt(known, issue.path) as Record<string, unknown>;
    for (const key of issue.keys) {
      delete holder[key];
      warnings.push(unknownField(issue.path, key).message);
    }
  }
  return { data: validate(schema, known), warnings };
}

function toApiError(issue: Issue, body: unknown): ApiError {
  if (issue.code === 'unrecognized_keys') return unknownField(issue.path, issue.keys[0]);
  const [field] = issue.path;
  if (isRefused(field)) return unknownField([], field);
  const inside = issue.code === 'invalid_union' ? deepest(issue) : undefined;
  if (inside !== undefined) return toApiError(inside, body);
  const param = nameOf(issue.path);
  const value = valueAt(body, issue.path);
  if (value === undefined && param !== '')
    return new ApiError(400, 'missing_required_parameter', `${param} is missing`, { param });
  const code = issue.code === 'invalid_type' ? 'invalid_type' : 'invalid_value';
  const message = `${param || 'the body'} is ${show(value)}; it ${whatItMustBe(issue)}`;
  return new ApiError(400, code, message, { param: param || undefined });
}

function unknownField(path: readonly PropertyKey[], key: string): ApiError {
  const param = nameOf([...path, key]);
  const [field = key] = path;
  const why = isRefused(field) ? REFUSED[field] : 'see /openapi.json for what there is';
  return new ApiError(400, 'unsupported_parameter', `${param} is not supported: ${why}`, { param });
}

/** Of a union none of whose forms fits, what is wrong inside of the one that goes deepest. */
function deepest({ path, errors }: Extract<Issue, { code: 'invalid_union' }>): Issue | undefined {
  const inside = errors.flat().filter(issue => issue.path.length > 0 || 'keys' in issue);
  const [longest] = inside.toSorted((a, b) => b.path.length - a.path.length);
  return longest && ({ ...longest, path: [...path, ...longest.path] } as Issue);
}

/** Keys may be as long as a body, and names of fields are in messages and in the log. */
const LONGEST_NAME = 100;

/** `messages[0].content` */
function nameOf(path: readonly PropertyKey[]): string {
  let name = '';
  for (const key of path) {
    if (typeof key === 'number') name += `[${key}]`;
    else name += name === '' ? String(key) : `.${String(key)}`;
  }
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 3)}...`;
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  return value;
}
