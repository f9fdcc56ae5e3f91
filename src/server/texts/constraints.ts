/** What `response_format` holds an output to. */
import { Recent } from '../../base/recent.js';
import { jsonConstraint } from '../../text/grammar/json-constraint.js';
import type { TokenConstraint } from '../../text/sampling/constraint.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { aboutField } from '../errors/about-field.js';
import type { ResponseFormat } from '../schemas/response-format.js';

/** So many schemas are kept, those used last, with what was found out about them. */
const MOST_SCHEMAS = 32;

export class Constraints {
  readonly #tokenizer: Tokenizer;
  /** By the schema as text. */
  readonly #known = new Recent<string, TokenConstraint>(MOST_SCHEMAS);

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** @throws {ApiError} 400 for a schema that is wrong, or has what is not supported */
  of(format: ResponseFormat): TokenConstraint | undefined {
    if (format == null || format.type === 'text') return undefined;
    const schema = format.type === 'json_schema' ? format.json_schema.schema : undefined;
    const key = JSON.stringify(schema) ?? '';
    return this.#known.of(key, () => this.#read(schema));
  }

  #read(schema: unknown): TokenConstraint {
    const field = { param: 'response_format.json_schema.schema', code: 'unsupported_value' };
    return aboutField(field, () => jsonConstraint(this.#tokenizer, schema));
  }
}
