/**
 * A model of real language, SmolLM2-135M-Instruct in a GGUF file, read by llama.cpp and here: on
 * the prompts of golden/smollm2, how near each comes to float32 arithmetic on the same blocks, and
 * whether it chooses the tokens that transformers chose. `../README.md` says what the columns mean.
 *
 *     npm run prompts -- "$(node ../../scripts/fetch-smollm2.js)"
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { getLlama } from 'node-llama-cpp';
import { difference } from '../../dist-bench/bench/peers/differences.js';
import { openOurs, openTheirs } from './engines.js';
import { argmax } from './side.js';

const PROMPTS = new URL('../../golden/smollm2/prompts.json', import.meta.url);
const CONTEXT = 4096;
const VOCABULARY = 49_152;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: 'string', default: String(availableParallelism()) } },
});
const [gguf] = positionals;
if (gguf === undefined) {
  console.error('name the GGUF file of SmolLM2-135M-Instruct');
  process.exit(2);
}
const prompts = JSON.parse(await readFile(PROMPTS, 'utf8'));
const threads = Number(values.threads);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  maxThreads: threads,
  logLevel: 'error',
});
console.log(`llama.cpp ${llama.llamaCppRelease.release}: ${llama.systemInfo.trim()}`);

const ours = weights => openOurs(gguf, { threads, context: CONTEXT, weights });
const theirs = cache =>
  openTheirs(llama, gguf, { threads, context: CONTEXT, vocabSize: VOCABULARY, cache });
const exact = await read(() => ours('f32'));
const engines = {
  'llama-32k, f32': exact,
  'llama-32k': await read(() => ours()),
  'llama.cpp': await read(() => theirs('f16')),
  'llama.cpp, f32 cache': await read(() => theirs('f32')),
};
await llama.dispose();

console.log(`\n${prompts.length} prompts, ${prompts[0].tokens.length} tokens after each`);
console.log(line('', ['same texts', 'same tokens', 'at most, σ', 'RMS/σ', 'max/σ', 'KL, nats']));
for (const [name, rows] of Object.entries(engines)) report(name, rows);
const between = meanDifference(engines['llama-32k'], engines['llama.cpp']);
console.log(`\nllama.cpp from llama-32k: KL ${between.divergence.toExponential(2)} nats`);

/** Of an engine, for each prompt, the rows of logits that its 64 tokens are chosen by. */
async function read(open) {
  const engine = await open();
  const found = [];
  for (const { prompt, tokens } of prompts) {
    const text = [...prompt, ...tokens.slice(0, -1)];
    found.push((await engine.logits(text, prompt.length - 1)).map(row => row.slice()));
  }
  await engine.close();
  return found;
}

function report(name, found) {
  const others = prompts.map(({ tokens }, i) =>
    [...tokens.keys()].filter(step => argmax(found[i][step]) !== tokens[step]),
  );
  const steps = prompts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const margins = others.flatMap((list, i) => list.map(step => prompts[i].margins[step]));
  const { rms, largest, divergence } = meanDifference(exact, found);
  console.log(
    line(name, [
      `${others.filter(list => list.length === 0).length} of ${prompts.length}`,
      `${steps - margins.length} of ${steps}`,
      margins.length === 0 ? '–' : Math.max(...margins).toFixed(3),
      ...[rms, largest, divergence].map(x => (x === 0 ? '–' : x.toExponential(2))),
    ]),
  );
}

/** Of `logits` from `truth`, over all rows of all prompts. */
function meanDifference(truth, logits) {
  return difference(logits.flat(), truth.flat());
}

function line(name, columns) {
  return name.padEnd(22) + columns.map(text => text.padStart(14)).join('');
}
