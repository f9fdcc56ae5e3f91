/** A request as a program with OpenAI's client. */
import type { ChatRequest } from '../api/chat-request.js';

/** What OpenAI has no types for. */
const OURS: readonly string[] = ['top_k', 'repetition_penalty', 'return_progress'];

/** @param needsKey it is taken from the environment, and not shown */
export function asTypeScript(origin: string, request: ChatRequest, needsKey: boolean): string {
  const entries = Object.entries(request);
  const theirs = Object.fromEntries(entries.filter(([name]) => !OURS.includes(name)));
  const ours = Object.fromEntries(entries.filter(([name]) => OURS.includes(name)));
  const key = needsKey ? 'process.env.LLAMA_32K_API_KEY' : "'none'";
  return `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: ${literal(`${origin}/v1`)}, apiKey: ${key} });
/** What llama-32k knows besides. */
const besides: object = ${literal(ours)};
const stream = await client.chat.completions.create({
  ...besides,
${fields(theirs, '  ')}
});
for await (const { choices } of stream) {
  process.stdout.write(choices[0]?.delta.content ?? '');
}
`;
}

/** A value of JSON, as TypeScript. */
function literal(value: unknown, indent = ''): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map(item => `${inner}${literal(item, inner)},\n`);
    return `[\n${items.join('')}${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const names = Object.keys(value);
  const isShort = names.every(name => typeof (value as never)[name] !== 'object');
  if (!isShort) return `{\n${fields(value, inner)}\n${indent}}`;
  const pairs = Object.entries(value).map(([name, each]) => `${name}: ${JSON.stringify(each)}`);
  return `{ ${pairs.join(', ')} }`;
}

const fields = (value: object, indent: string): string =>
  Object.entries(value)
    .map(([name, each]) => `${indent}${name}: ${literal(each, indent)},`)
    .join('\n');
