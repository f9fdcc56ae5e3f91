/** The keywords of JSON Schema that are known; docs/structured-output.md is held to this table. */

/** What a keyword is about. */
export type KeywordGroup =
  /** Any value. */
  | 'any'
  /** Values of one type; those of another are not held to it, as JSON Schema has it. */
  | 'string'
  | 'integer'
  | 'array'
  | 'object'
  /** Nothing that a value could be held to. */
  | 'annotation';

export const KEYWORDS = {
  type: 'any',
  enum: 'any',
  const: 'any',
  anyOf: 'any',
  oneOf: 'any',
  allOf: 'any',
  $ref: 'any',
  properties: 'object',
  required: 'object',
  additionalProperties: 'object',
  items: 'array',
  prefixItems: 'array',
  minItems: 'array',
  maxItems: 'array',
  minLength: 'string',
  maxLength: 'string',
  pattern: 'string',
  format: 'string',
  minimum: 'integer',
  maximum: 'integer',
  exclusiveMinimum: 'integer',
  exclusiveMaximum: 'integer',
  $defs: 'annotation',
  definitions: 'annotation',
  $schema: 'annotation',
  $id: 'annotation',
  $comment: 'annotation',
  title: 'annotation',
  description: 'annotation',
  default: 'annotation',
  examples: 'annotation',
  deprecated: 'annotation',
  readOnly: 'annotation',
  writeOnly: 'annotation',
} as const satisfies Record<string, KeywordGroup>;

/** A keyword that is known. */
export type Keyword = keyof typeof KEYWORDS;

export const isKeyword = (name: string): name is Keyword => Object.hasOwn(KEYWORDS, name);

export const isAnnotation = (name: string): boolean =>
  isKeyword(name) && KEYWORDS[name] === 'annotation';

export const TYPES = ['string', 'integer', 'number', 'boolean', 'null', 'array', 'object'] as const;

/** A type of JSON Schema. */
export type TypeName = (typeof TYPES)[number];
