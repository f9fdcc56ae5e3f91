/**
 * The rule of a byte-level tokenizer in a tokenizer.json:
 *
 *     normalizer       none, or NFC
 *     pre_tokenizer    Split and Digits in any number, and ByteLevel as the last
 *     decoder          ByteLevel
 *
 * alone or in a Sequence. Anything else would change the ids, and is refused by name.
 */
import { check, show } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { DIGITS, ONE_DIGIT } from '../byte-level/known-rules.js';
import { literalPattern } from '../byte-level/oniguruma.js';
import { compileSplit } from '../byte-level/splitter.js';
import type { ByteLevelRule, Split, SplitBehavior } from '../model/byte-level-rule.js';
import {
  boolean,
  flat,
  type Json,
  matches,
  object,
  refuseUnknownKeys,
  unsupported,
} from './fields.js';

/** Whether `file`, the content of a tokenizer.json, has pieces of bytes. */
export function isByteLevel({ decoder }: Json): boolean {
  return isObject(decoder) && decoder.type === 'ByteLevel';
}

/**
 * What `file` does to a text before its bytes are merged.
 * @throws {LlamaError} UNSUPPORTED for any other component, and for what a regular expression has
 * that is not implemented.
 */
export function readByteLevelRule(file: Json): ByteLevelRule {
  const { pre_tokenizer: preTokenizer, model, decoder } = file;
  refuseUnknownKeys(object(decoder, 'decoder'), BYTE_LEVEL_KEYS, 'decoder');
  const { byte_fallback: byteFallback, ignore_merges: ignoreMerges } = object(model, 'model');
  if (byteFallback) throw unsupported('model.byte_fallback', byteFallback, 'false');
  const steps = flat(preTokenizer, 'pre_tokenizer', 'pretokenizers');
  const last = steps.at(-1);
  if (last?.type !== 'ByteLevel')
    throw unsupported('pre_tokenizer', preTokenizer, 'Split, Digits and then ByteLevel');
  refuseUnknownKeys(last, BYTE_LEVEL_KEYS, 'pre_tokenizer');
  return {
    normalizer: readNormalizer(file.normalizer),
    splits: steps.slice(0, -1).map(readSplit),
    addPrefixSpace: boolean(last.add_prefix_space ?? true, 'pre_tokenizer.add_prefix_space'),
    useRegex: boolean(last.use_regex ?? true, 'pre_tokenizer.use_regex'),
    ignoreMerges: boolean(ignoreMerges ?? false, 'model.ignore_merges'),
  };
}

/** `trim_offsets` says where in the text tokens stand, which nobody asks here. */
const BYTE_LEVEL_KEYS = ['type', 'add_prefix_space', 'trim_offsets', 'use_regex'];

function readNormalizer(normalizer: unknown): ByteLevelRule['normalizer'] {
  const steps = flat(normalizer, 'normalizer', 'normalizers');
  if (steps.length === 0) return 'none';
  if (steps.every(step => matches(step, { type: 'NFC' }))) return 'NFC';
  throw unsupported('normalizer', normalizer, 'none or NFC');
}

function readSplit(step: Json): Split {
  const split = readStep(step);
  compileSplit(split); // refuses what it cannot translate
  return split;
}

function readStep(step: Json): Split {
  if (step.type === 'Digits') {
    refuseUnknownKeys(step, ['type', 'individual_digits'], 'Digits');
    const isIndividual = boolean(step.individual_digits ?? false, 'Digits.individual_digits');
    return isIndividual ? ONE_DIGIT : DIGITS;
  }
  if (step.type !== 'Split')
    throw unsupported('a component of pre_tokenizer', step, 'Split, Digits and ByteLevel');
  refuseUnknownKeys(step, ['type', 'pattern', 'behavior', 'invert'], 'Split');
  const { behavior } = step;
  if (!isBehavior(behavior)) throw unsupported('Split.behavior', behavior, BEHAVIORS.join(', '));
  const invert = boolean(step.invert ?? false, 'Split.invert');
  return { pattern: readPattern(step.pattern), behavior, invert };
}

function readPattern(pattern: unknown): string {
  const { Regex: regex, String: text } = object(pattern, 'Split.pattern');
  if (typeof regex === 'string') return regex;
  check(typeof text === 'string' && text !== '', 'BAD_TOKENIZER', () => {
    return `Split.pattern is ${show(pattern)}, neither {"Regex": …} nor {"String": …}`;
  });
  return literalPattern(text);
}

const BEHAVIORS: readonly SplitBehavior[] = [
  'Isolated',
  'Removed',
  'Contiguous',
  'MergedWithPrevious',
  'MergedWithNext',
];

function isBehavior(value: unknown): value is SplitBehavior {
  return BEHAVIORS.includes(value as SplitBehavior);
}
