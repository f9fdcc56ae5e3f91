/** What a mask over the vocabulary takes: the first time that a state is met, and after that. */
import { openTokenizer } from '../src/load/tokenizer.js';
import { jsonConstraint } from '../src/text/grammar/json-constraint.js';
import { tokenTrieOf } from '../src/text/grammar/tokens/token-trie.js';
import type { Tokenizer } from '../src/tokenizer/tokenizer.js';

const OWN = 'golden/tiny-32k';

/** One property each for what costs differently. */
const SCHEMA = {
  properties: {
    free: { type: 'string' },
    counted: { type: 'string', maxLength: 200 },
    pattern: { type: 'string', pattern: '^[a-z ]+$', maxLength: 60 },
    number: { type: 'number' },
    list: { type: 'array', items: { $ref: '#' } },
  },
  required: ['free', 'counted', 'pattern', 'number', 'list'],
};
const VALUE = {
  free: 'Hello world, this is free',
  counted: 'Some text whose characters count',
  pattern: 'lower case letters',
  number: -12.5,
  list: [],
};

/** `path`: the tokenizer of another model. */
export async function grammarBench([path = OWN]: readonly string[]): Promise<void> {
  const tokenizer = await openTokenizer(path);
  const tree = time(() => tokenTrieOf(tokenizer));
  console.log(`${path}, ${tokenizer.vocabSize} tokens; ms, the median and the longest`);
  console.log(`the tree of tokens    ${tree.toFixed(1)}`);
  for (const compiled of ['first', 'second', 'third']) {
    let constraint = jsonConstraint(tokenizer);
    const schema = time(() => {
      constraint = jsonConstraint(tokenizer, SCHEMA);
    });
    console.log(`the ${compiled} time: the schema ${schema.toFixed(1)}`);
    for (const state of ['cold', 'warm']) {
      const { masks, advances } = write(tokenizer, constraint.fork());
      console.log(`  a mask, ${state}       ${summary(masks)}`);
      console.log(`  a token, ${state}      ${summary(advances)}`);
    }
  }
}

function write(tokenizer: Tokenizer, constraint: ReturnType<typeof jsonConstraint>) {
  const scores = new Float32Array(tokenizer.vocabSize);
  const masks: number[] = [];
  const advances: number[] = [];
  for (const id of tokenizer.encode(JSON.stringify(VALUE), { continuation: true })) {
    scores.fill(0);
    masks.push(time(() => constraint.forbid(scores)));
    advances.push(time(() => constraint.advance(id)));
  }
  return { masks, advances };
}

function time(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function summary(times: number[]): string {
  const sorted = times.sort((a, b) => a - b);
  return `${sorted[sorted.length >> 1].toFixed(3)} ${sorted[sorted.length - 1].toFixed(3)}`;
}
