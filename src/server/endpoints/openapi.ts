/** GET /openapi.json: OpenAPI 3.1, made of the table of endpoints and of the schemas. */
import { z } from 'zod';
import { errorAnswer } from '../schemas/answers/error.js';
import type { Endpoint } from './endpoint.js';

/** A schema as JSON Schema, of what a request may have. */
export const jsonSchemaOf = (schema: z.ZodType): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

/** The same, of what an answer has. */
export const answerSchemaOf = (schema: z.ZodType): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(schema, { io: 'output' });

export function openApi(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const entry of endpoints) {
    const path = entry.path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}');
    paths[path] = { ...paths[path], [entry.method.toLowerCase()]: operation(entry, path) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'llama-32k',
      version,
      description: 'The hosted API of Llama-2-7B-32K-Instruct, on CPUs.',
    },
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: answerSchemaOf(errorAnswer) },
    },
  };
}

function operation({ summary, body, answers, isPublic }: Endpoint, path: string): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return {
    summary,
    ...(names.length > 0 && {
      parameters: names.map(name => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
    }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchemaOf(body) } },
      },
    }),
    ...(isPublic && { security: [] }),
    responses: {
      200: { description: describe(answers), content: contentOf(answers) },
      default: {
        description: 'Refused or failed.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

const describe = (answers: Endpoint['answers']): string =>
  'text/event-stream' in answers
    ? 'Done. Of a stream, this is each event; the last one is [DONE], or an error.'
    : 'Done.';

const contentOf = (answers: Endpoint['answers']) =>
  Object.fromEntries(
    Object.entries(answers).map(([type, schema]) => [type, { schema: answerSchemaOf(schema) }]),
  );
