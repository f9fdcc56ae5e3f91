/** What `response_format` holds an output to. */
import { LlamaError } from '../../base/errors.js';
import { jsonConstraint } from '../../text/grammar/json-constraint.js';
import type { TokenConstraint } from '../../text/sampling/constraint.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { ApiError } from '../errors/api-error.js';
import type { ResponseFormat } from '../schemas/response-format.js';

/** So many schemas are kept, those used last, with what was found out about them. */
const MOST_SCHEMAS = 32;

export class Constraints {
  readonly #tokenizer: Tokenizer;
  /** By the schema as text. */
  readonly #known = new Map<string, TokenConstraint>();

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** @throws {ApiError} 400 for a schema that is wrong, or has what is not supported */
  of(format: ResponseFormat): TokenConstraint | undefined {
    if (format == null || format.type === 'text') return undefined;
    const schema = format.type === 'json_schema' ? format.json_schema.schema : undefined;
    const key = JSON.stringify(schema) ?? '';
    const constraint = this.#known.get(key) ?? this.#read(schema);
    this.#known.delete(key);
    this.#known.set(key, constraint);
    if (this.#known.size > MOST_SCHEMAS) this.#known.delete(this.#known.keys().next().value!);
    return constraint;
  }

  #read(schema: unknown): TokenConstraint {
    try {
      return jsonConstraint(this.#tokenizer, schema);
    } catch (error) {
      if (!(error instanceof LlamaError)) throw error;
      const param = 'response_format.json_schema.schema';
      throw new ApiError(400, 'unsupported_value', error.message, { param, cause: error });
    }
  }
}
