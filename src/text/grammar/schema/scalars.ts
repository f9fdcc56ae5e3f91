/** Schemas of values that have no others in them. */
import type { Automaton } from '../automaton/automaton.js';
import { type Expression, type Language, NEVER } from '../automaton/expression.js';
import { PatternError } from '../json/character-class.js';
import { FORMATS } from '../json/formats.js';
import { anyInteger, anyNumber, integersBetween } from '../json/numbers.js';
import { readPattern } from '../json/pattern.js';
import { anyString, canonicalContent, quoted } from '../json/strings.js';
import { badSchema, type Schema, takeCount, takeNumber, takeText } from './schema.js';

/** States that a pattern may have, which is a line or two of regular expression. */
const MOST_PATTERN_STATES = 500;
/** And that times the number of characters. */
const MOST_STATES = 200_000;

/** What expressions are made with. */
export interface Tools {
  readonly language: Language;
  readonly automaton: Automaton;
}

export function readString(schema: Schema, tools: Tools): Expression {
  const { language } = tools;
  const least = takeCount(schema, 'minLength') ?? 0;
  const most = takeCount(schema, 'maxLength') ?? Infinity;
  if (least > most) throw badSchema(schema.at, `minLength ${least} is above maxLength ${most}`);
  const patterns = patternsOf(schema).map(([keyword, pattern]) =>
    patternOf(schema, keyword, pattern, tools),
  );
  if (patterns.length === 0) return anyString(language, least, most);
  const hasLength = least > 0 || most < Infinity;
  checkSize(schema, patterns, Math.max(least, most < Infinity ? most : 1), tools);
  if (hasLength) patterns.push(canonicalContent(language, least, most));
  const content = patterns.reduce((left, right) => tools.automaton.intersect(left, right));
  if (content === NEVER)
    throw badSchema(schema.at, 'pattern, format and length leave no string that has all of them');
  return quoted(language, content);
}

function patternsOf(schema: Schema): [keyword: string, pattern: string][] {
  const pattern = takeText(schema, 'pattern');
  const format = takeText(schema, 'format');
  const patterns: [string, string][] = [];
  if (pattern !== undefined) patterns.push(['pattern', pattern]);
  if (format === undefined) return patterns;
  if (!Object.hasOwn(FORMATS, format)) {
    const known = Object.keys(FORMATS).join(', ');
    throw badSchema(schema.at, `format "${format}" is not supported; those that are: ${known}`);
  }
  return [...patterns, ['format', FORMATS[format]]];
}

function patternOf(
  { at }: Schema,
  keyword: string,
  pattern: string,
  { language, automaton }: Tools,
): Expression {
  const read = () => {
    try {
      return readPattern(language, pattern);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw badSchema(at, `${keyword} ${JSON.stringify(pattern)}: ${error.message}`);
    }
  };
  const expression = read();
  if (expression === NEVER) throw badSchema(at, `no string has the ${keyword}`);
  if (automaton.countStates(expression, MOST_PATTERN_STATES) > MOST_PATTERN_STATES)
    throw badSchema(at, `the ${keyword} needs more than ${MOST_PATTERN_STATES} states`);
  return expression;
}

function checkSize(
  { at }: Schema,
  patterns: readonly Expression[],
  length: number,
  { automaton }: Tools,
): void {
  const states = patterns.reduce(
    (product, pattern) => product * automaton.countStates(pattern, MOST_PATTERN_STATES),
    length,
  );
  if (states > MOST_STATES)
    throw badSchema(at, `pattern, format and length together need over ${MOST_STATES} states`);
}

export function readInteger(schema: Schema, { language }: Tools): Expression {
  const least = leastInteger(takeNumber(schema, 'minimum'), takeNumber(schema, 'exclusiveMinimum'));
  const most = leastInteger(
    negative(takeNumber(schema, 'maximum')),
    negative(takeNumber(schema, 'exclusiveMaximum')),
  );
  if (least === undefined && most === undefined) return anyInteger(language);
  const upper = most === undefined ? undefined : -most;
  const integers = integersBetween(language, least, upper);
  if (integers !== NEVER) return integers;
  throw badSchema(
    schema.at,
    `there is no integer from ${least ?? '-10^21'} to ${upper ?? '10^21'}`,
  );
}

/** The least integer that is `from` or more, and more than `above`. */
function leastInteger(from?: number, above?: number): bigint | undefined {
  const bounds: bigint[] = [];
  if (from !== undefined) bounds.push(BigInt(Math.ceil(from)));
  if (above !== undefined) bounds.push(BigInt(Math.floor(above)) + 1n);
  if (bounds.length === 0) return undefined;
  return bounds.reduce((most, bound) => (bound > most ? bound : most));
}

const negative = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : -value;

const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'];

export function readNumber({ at, keywords }: Schema, { language }: Tools): Expression {
  const bound = BOUNDS.find(keyword => keyword in keywords);
  if (bound === undefined) return anyNumber(language);
  throw badSchema(at, `keyword "${bound}" is supported for type integer only, and not for number`);
}
