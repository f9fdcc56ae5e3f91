/** What holds of any schema and any vocabulary. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonConstraint } from '../../../src/text/grammar/json-constraint.js';
import type { Tokenizer } from '../../../src/tokenizer/index.js';
import { randomFrom, sampleOf, schemas } from './random-schemas.js';
import { allowed, VOCABULARIES, walk } from './support.js';
import { isValid, type Json } from './validate.js';

const runs = { numRuns: 60 };
const seeds = fc.integer();

/** With a space behind each comma and colon, as Python's json.dumps writes it. */
function withSpaces(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(withSpaces).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, part]) => `${JSON.stringify(name)}: ${withSpaces(part)}`,
  );
  return `{${members.join(', ')}}`;
}

function writes(tokenizer: Tokenizer, schema: Json, text: string): void {
  const constraint = jsonConstraint(tokenizer, schema);
  for (const id of tokenizer.encode(text, { continuation: true })) {
    const scores = new Float32Array(tokenizer.vocabSize);
    constraint.forbid(scores);
    const piece = tokenizer.pieces([id])[0];
    expect(scores[id], `${JSON.stringify(piece)} in ${text}`).toBe(0);
    constraint.advance(id);
  }
  expect(constraint.isComplete, text).toBe(true);
}

describe.each(Object.entries(VOCABULARIES))('with the vocabulary %s', (_, tokenizer) => {
  test('whatever is drawn under the mask ends in JSON that the schema allows', () => {
    fc.assert(
      fc.property(schemas, seeds, (schema, seed) => {
        const ids = walk(jsonConstraint(tokenizer, schema), tokenizer, randomFrom(seed));
        const text = tokenizer.decode(ids, { continuation: true });
        const value = JSON.parse(text);
        expect(isValid(schema, value), text).toBe(true);
      }),
      runs,
    );
  });

  test('what the schema allows can be written token by token, compact or with spaces', () => {
    fc.assert(
      fc.property(schemas, seeds, (schema, seed) => {
        const value = sampleOf(schema, randomFrom(seed), schema);
        fc.pre(value !== undefined);
        expect(isValid(schema, value), 'of the generator').toBe(true);
        writes(tokenizer, schema, JSON.stringify(value));
        writes(tokenizer, schema, withSpaces(value));
      }),
      runs,
    );
  });
});

test('the mask is that of trying every token', () => {
  const tokenizer = VOCABULARIES['golden/tokenizer'];
  fc.assert(
    fc.property(schemas, seeds, fc.nat(25), (schema, seed, steps) => {
      const constraint = jsonConstraint(tokenizer, schema);
      const random = randomFrom(seed);
      for (let step = 0; step < steps; step++) {
        const next = allowed(constraint, tokenizer.vocabSize);
        if (next.length === 0) break;
        constraint.advance(next[random(next.length)]);
      }
      const canCome = (id: number) => {
        try {
          constraint.fork().advance(id);
          return true;
        } catch {
          return false;
        }
      };
      const tried = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(canCome);
      expect(allowed(constraint, tokenizer.vocabSize)).toEqual(tried);
    }),
    { numRuns: 60 },
  );
});
