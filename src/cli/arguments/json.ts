/** --json-schema and --json-object: what JSON the output must be. */
import { check, LlamaError } from '../../base/errors.js';
import { parseJson } from '../../base/json.js';
import { jsonConstraint } from '../../text/grammar/json-constraint.js';
import type { TokenConstraint } from '../../text/sampling/constraint.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import type { Io } from '../terminal/io.js';
import { readInputFile } from './input-file.js';
import type { Option, Options } from './options.js';
import { withoutText } from './tokenizer.js';

export const JSON_OPTIONS: readonly Option[] = [
  {
    name: 'json-schema',
    value: 'FILE',
    help:
      'The output is JSON of the JSON Schema in this file; - reads stdin. Keywords that are not ' +
      'in docs/structured-output.md are refused.',
  },
  { name: 'json-object', help: 'The output is a JSON object, whatever is in it.' },
];

/** What is asked for, or undefined. */
export interface AskedJson {
  /** Undefined for any object. */
  readonly schema: unknown;
}

/** @throws {LlamaError} BAD_OPTION if both are given, or the file is not JSON */
export async function readAskedJson(options: Options, io: Io): Promise<AskedJson | undefined> {
  const path = options.text('json-schema');
  const isObject = options.flag('json-object');
  check(
    path === undefined || !isObject,
    'BAD_OPTION',
    () => '--json-schema and --json-object are both given; give one',
  );
  if (isObject) return { schema: undefined };
  if (path === undefined) return undefined;
  const text = await readInputFile(options, 'json-schema', io);
  return { schema: parseJson(text, `--json-schema: ${path}`, 'BAD_OPTION') };
}

/** @throws {LlamaError} BAD_OPTION as `jsonConstraint` does, or that there is no tokenizer */
export function constraintFor(
  { schema }: AskedJson,
  tokenizer: Tokenizer | LlamaError,
): TokenConstraint {
  if (tokenizer instanceof LlamaError)
    throw withoutText(tokenizer, 'leave out --json-schema and --json-object');
  try {
    return jsonConstraint(tokenizer, schema);
  } catch (error) {
    if (!(error instanceof LlamaError) || error.option !== 'schema') throw error;
    throw new LlamaError(error.code, `--json-schema: ${error.message}`, { cause: error });
  }
}
