/**
 * JSON.parse for files that may be damaged or hostile: keys that come twice are an error
 * (JSON.parse silently keeps the last), and nesting is bounded. Linear in the length of the text.
 */

import { LlamaError, type LlamaErrorCode, show } from './errors.js';

/** Deeper than any config.json or header is. */
const MAX_DEPTH = 32;

/** What a text must keep to, besides being JSON. */
export interface JsonLimits {
  /** At most so many values, not counting those that are alone in their array or object. */
  readonly maxValues?: number;
  /** Numbers are written as integers are, without fraction or exponent. */
  readonly integersOnly?: boolean;
}

/**
 * The value that `text` stands for. `__proto__` is a key like any other.
 * @param source what the text is, for the message
 * @throws {LlamaError} `code` if it is not JSON, nests deeper than 32 levels, has the same key
 * twice in one object or does not keep to `limits`.
 */
export function parseJson(
  text: string,
  source: string,
  code: LlamaErrorCode,
  limits: JsonLimits = {},
): unknown {
  const fail = (what: string, cause?: unknown) =>
    new LlamaError(code, `${source}: ${what}`, { cause });
  // Before JSON.parse: a hundred million brackets would cost it gigabytes.
  const problem = findProblem(text, limits);
  if (problem !== undefined) throw fail(problem);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fail(`not JSON: ${(error as SyntaxError).message}`, error);
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Walks over the brackets and strings of `text`; anything else that is not JSON is left for
 * JSON.parse to find.
 */
function findProblem(
  text: string,
  { maxValues = Infinity, integersOnly = false }: JsonLimits,
): string | undefined {
  let values = 0;
  // the keys of each open object; undefined for an array
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (open.length === MAX_DEPTH)
        return `nested deeper than ${MAX_DEPTH} levels at character ${at}`;
      open.push(character === '{' ? new Set() : undefined);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isBeforeColon(text, end)) {
        const key = unquote(text.slice(at, end));
        if (keys.has(key)) return `the key ${show(key)} comes twice in one object`;
        keys.add(key);
      }
      at = end - 1;
    } else if (character === ',') {
      if (++values >= maxValues) return `more than ${maxValues} values, the limit`;
    } else if (integersOnly && (character === '.' || character === 'e' || character === 'E')) {
      return `at character ${at} is a number that is not written as an integer`;
    }
  }
  return undefined;
}

/**
 * The position after the closing quote of the string that starts at `start`, or the end of the
 * text.
 */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function isBeforeColon(text: string, start: number): boolean {
  let at = start;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return text[at] === ':';
}

/**
 * "\u0061" and "a" are the same key. A string that is not JSON stays as it is: JSON.parse will say
 * so.
 */
function unquote(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted);
  } catch {
    return quoted;
  }
}
