/**
 * A byte-level tokenizer in a GGUF file, `tokenizer.ggml.model` "gpt2": pieces, merges as "a b",
 * and a word for how a text is cut, `tokenizer.ggml.pre`.
 */
import { check, show } from '../../base/errors.js';
import type { GgufValue } from '../../files/gguf/values.js';
import { KNOWN_RULES, type KnownRule, nameOfRule, ruleNamed } from '../byte-level/known-rules.js';
import { mergesFromPairs } from '../model/merge-table.js';
import { settingNotes } from '../model/notes.js';
import {
  addedTokensOf,
  type ByteLevelModel,
  PIECE_NUMBERS,
  scoredPieces,
  withoutPadding,
} from '../model/tokenizer-model.js';
import { type Piece, Vocabulary } from '../model/vocabulary.js';
import {
  checkKeys,
  type Fields,
  PREFIX,
  readFlag,
  readId,
  readTypedPieces,
  strings,
} from './fields.js';

const KNOWN = {
  keys: new Set(['pre', 'merges', 'scores']),
  implemented: new Map<string, unknown>([
    ['add_space_prefix', false],
    ['remove_extra_whitespaces', false],
  ]),
};

/** What llama.cpp takes where a file has no `pre`: files of before April 2024 have none. */
const OLDEST = 'default';
const NO_PRE =
  `${PREFIX}pre is missing; taken as ${show(OLDEST)}, as llama.cpp takes it, which is wrong for ` +
  'most models: convert it again';

/** Throws what `readGgufTokenizer` throws. */
export function readByteLevel(fields: Fields): ByteLevelModel {
  checkKeys(fields, KNOWN);
  const pieces = withoutPadding(readTypedPieces(fields).map(asSign));
  const ids = {
    unkId: undefined, // llama.cpp leaves bytes without a piece out
    bosId: readId(fields, 'bos_token_id', undefined),
    eosId: readId(fields, 'eos_token_id', undefined),
  };
  const vocabulary = new Vocabulary(pieces, ids, 'alphabet');
  const merges = Array.from(strings(fields, 'merges'), readMerge);
  const known = readKnownRule(fields.pre ?? OLDEST);
  const { add_bos_token: _, ...others } = fields; // followed
  const notes = settingNotes(others).map(note => `${PREFIX}${note}`);
  if (fields.pre === undefined) notes.push(NO_PRE);
  return {
    kind: 'byte-level',
    vocabulary,
    merges: mergesFromPairs(vocabulary, merges),
    rule: known.rule,
    addsBos: readFlag(fields, 'add_bos_token', known.addsBos ?? false),
    addedTokens: addedTokensOf(pieces, type => type === 'control' || type === 'user-defined'),
    notes,
  };
}

/** No text becomes an unknown piece: it is a sign as control pieces are. */
function asSign(piece: Piece): Piece {
  return piece.type === 'unknown' ? { ...piece, type: 'control' } : piece;
}

/** The first of the two may begin with a space. */
function readMerge(merge: string, rank: number): [string, string] {
  const space = merge.indexOf(' ', 1);
  check(space > 0 && space < merge.length - 1, 'BAD_TOKENIZER', () => {
    return `merge ${rank} of ${PREFIX}merges is ${show(merge)}, not two pieces`;
  });
  return [merge.slice(0, space), merge.slice(space + 1)];
}

function readKnownRule(pre: unknown): KnownRule {
  const rule = typeof pre === 'string' ? ruleNamed(pre) : undefined;
  check(rule !== undefined, 'UNSUPPORTED', () => {
    const known = KNOWN_RULES.map(({ names }) => show(names[0])).join(', ');
    return (
      `${PREFIX}pre is ${show(pre)}, and how it cuts texts is not known here (known are ${known} ` +
      'and their other names); use the model as a directory with tokenizer.json, which says it'
    );
  });
  return rule;
}

/**
 * By key, what `readByteLevel` makes the tokenizer `model` of.
 * @throws {LlamaError} UNSUPPORTED if `tokenizer.ggml.pre` has no word for how it cuts texts.
 */
export function byteLevelFields(model: ByteLevelModel, vocabSize: number): [string, GgufValue][] {
  const { merges, rule, vocabulary } = model;
  const pre = nameOfRule(rule);
  check(pre !== undefined, 'UNSUPPORTED', () => {
    return (
      `${PREFIX}pre has no word for how tokenizer.json cuts texts (${show(rule)}), and the ids ` +
      'would be others; convert to a directory instead, which keeps tokenizer.json'
    );
  });
  const pieces = scoredPieces(model, [], vocabSize);
  const textOf = (id: number) => vocabulary.pieces[id].text;
  const pairs = merges.pairs().map(([left, right]) => `${textOf(left)} ${textOf(right)}`);
  const types = pieces.map(({ type }) => PIECE_NUMBERS.get(type)!);
  return [
    ['model', { type: 'string', value: 'gpt2' }],
    ['pre', { type: 'string', value: pre }],
    ['tokens', { type: 'array', of: 'string', value: pieces.map(({ text }) => text) }],
    ['token_type', { type: 'array', of: 'i32', value: types }],
    ['merges', { type: 'array', of: 'string', value: pairs }],
    ['add_bos_token', { type: 'bool', value: model.addsBos ?? true }],
    ['add_space_prefix', { type: 'bool', value: false }],
  ];
}

/** What `byteLevelFields` has no place for: a sentence each. */
export function byteLevelLosses({ vocabulary: { unkId, pieces } }: ByteLevelModel): string[] {
  if (unkId === undefined) return [];
  return [
    `a GGUF file has no place for an unknown piece among those of bytes: bytes without a piece, ` +
      `which are ${show(pieces[unkId].text)} now, are left out with it`,
  ];
}
