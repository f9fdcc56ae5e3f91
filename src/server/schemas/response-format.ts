import { z } from 'zod';
import { optional } from './common.js';

/** A schema is an object, or true, which is anything; what it may have, `src/text/grammar` says. */
const jsonSchema = z.union([z.record(z.string(), z.unknown()), z.boolean()], {
  error: 'must be a JSON Schema',
});

/** What the output is held to. */
export const responseFormat = optional(
  z.discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('json_object') }),
      z.strictObject({
        type: z.literal('json_schema'),
        json_schema: z.strictObject({
          name: optional(z.string()),
          description: optional(z.string()),
          schema: jsonSchema,
          strict: optional(z.boolean()),
        }),
      }),
    ],
    { error: 'must be text, json_object or json_schema' },
  ),
).describe(
  'json_object: the output is a JSON object; json_schema: it is JSON of json_schema.schema, ' +
    'always strictly. docs/structured-output.md says what schemas may have.',
);

export type ResponseFormat = z.infer<typeof responseFormat>;
