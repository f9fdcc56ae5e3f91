/** That what is answered is what `/openapi.json` and docs/api.md say. */
import type { z } from 'zod';
import { ENDPOINTS } from '../../src/server/endpoints/table.js';
import { errorAnswer } from '../../src/server/schemas/answers/error.js';
import type { Json } from './support.js';

/** `answer`, in JSON or an event of a stream; throws where it has what it may not have. */
export function checkedAnswer(method: string, path: string, type: string, answer: Json): Json {
  if ('error' in answer) return checkedError(answer);
  const { pathname } = new URL(path, 'http://localhost');
  const isHere = (pattern: string) =>
    new RegExp(`^${pattern.replace(/:\w+\{(.*)\}/, '$1')}$`).test(pathname);
  const endpoint = ENDPOINTS.find(each => each.method === method && isHere(each.path));
  const schema = endpoint?.answers[type];
  if (schema === undefined) throw new Error(`nothing says what ${method} ${path} answers`);
  return checked(schema, answer);
}

export const checkedError = (answer: Json): Json => checked(errorAnswer, answer);

function checked(schema: z.ZodType, answer: Json): Json {
  const { error } = schema.safeParse(answer);
  if (error === undefined) return answer;
  throw new Error(`${error.message}\n${JSON.stringify(answer)}`);
}
