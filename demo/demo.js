/**
 * `npm run demo`: a chat with the embedded model, a question about 29,000 tokens with and without
 * position interpolation, and the numbers of the implementation beside those of Hugging Face
 * transformers. Where reading so many tokens twice takes longer than three minutes, the question is
 * about fewer; `npm run demo -- --seconds 20` has less patience, and `--seconds 1` the shortest
 * text. For a clone of the repository: the package does not have all golden files.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { complete, encodePrompt, loadLlama, loadModel } from 'llama-32k';
import { memorySource, openSafetensors } from 'llama-32k/safetensors';

/**
 * @typedef {{ task: string, prompt: string, wanted: string, promptTokens: number, reply: string }}
 * Reply
 */

const WIDTH = 46;
const MOST_NEW_TOKENS = 40;
const BAR_CELLS = 30;

/** Seconds that the long question may take in all, twice read. */
const DEFAULT_PATIENCE = '180';

/** So many tokens of it are read before, to know how fast this machine is. */
const PROBE_TOKENS = 1024;

/**
 * Tokens of a text at which attention takes as long as everything else: the time for n of them goes
 * as n + n²/BALANCE. The fit to tiny-32k's times from 512 to 29,413 tokens, on a machine with other
 * work, is 5,000; less promises less.
 */
const BALANCE = 4_000;

const patience = readPatience();
if (patience === undefined) {
  console.error('npm run demo -- --seconds S: the most seconds, above 0, that the long text takes');
  process.exit(2);
}
await showChat(patience);
await showNumbers();

/** @returns {number | undefined} undefined if the command line is wrong */
function readPatience() {
  try {
    const { values } = parseArgs({
      options: { seconds: { type: 'string', default: DEFAULT_PATIENCE } },
    });
    return Number(values.seconds) > 0 ? Number(values.seconds) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Every prompt is one that the model has not been trained on (golden/tiny-32k/README.md), and comes
 * with the reply that is right.
 * @param {number} patience seconds
 */
async function showChat(patience) {
  /** @type {Reply[]} */
  const replies = JSON.parse(await readFile(golden('tiny-32k/greedy.json'), 'utf8'));
  const instruction = replies.find(isRightReversal);
  const questions = replies.filter(isAboutDocuments);
  if (instruction === undefined || questions.length === 0) throw new Error('greedy.json is empty');
  print('\ntiny-32k: trained at 4,096 positions, stretched by 8 to 32,768, trained on, and');
  print('shipped with this repository.\n');
  const loaded = await loadModel(undefined, { wide: 'auto' });
  print(`  ${lastLine(instruction)}`);
  await ask(loaded, instruction);
  const question = await longestInTime(loaded, questions, patience);
  const { task, promptTokens } = question;
  print(`\n  ${grouped(promptTokens)} tokens, ${task}, one of which holds the answer.`);
  print(`  ${lastLine(question)}`);
  await ask(loaded, question);
  await loaded.close();
  print('\n  The same with positions as they are, that is with factor 1 instead of 8:');
  const ignoring = await loadModel(undefined, { ropeFactor: 1, wide: 'auto' });
  await ask(ignoring, question);
  await ignoring.close();
}

/** @param {Reply} reply */
function isRightReversal({ task, reply, wanted }) {
  return task === 'examples' && wanted.startsWith('In reverse order') && reply === wanted;
}

/** From the shortest to the longest. @param {Reply} reply */
function isAboutDocuments({ task, reply, wanted }) {
  return task.endsWith('documents') && reply === wanted;
}

/**
 * The longest question for which patience is enough, or the shortest; says how long it will take.
 * @param {import('llama-32k').LoadedModel} loaded
 * @param {Reply[]} questions
 * @param {number} patience
 */
async function longestInTime({ model, tokenizer }, questions, patience) {
  const longest = /** @type {Reply} */ (questions.at(-1));
  const probe = encodePrompt(tokenizer, longest.prompt).slice(0, PROBE_TOKENS);
  const { timings } = await complete(model, tokenizer, probe, { maxNewTokens: 1 });
  /** @param {Reply} question */
  const secondsFor = ({ promptTokens }) =>
    (2 * timings.prefillSeconds * work(promptTokens)) / work(PROBE_TOKENS);
  const inTime = questions.filter(question => secondsFor(question) <= patience);
  const question = inTime.at(-1) ?? questions[0];
  print('');
  if (question !== longest) {
    const seconds = Math.ceil(secondsFor(longest));
    print(`  This machine would read ${grouped(longest.promptTokens)} tokens twice in about`);
    print(`  ${seconds} s; here is a shorter text.`);
  }
  print(`  To read the next text twice will take about ${Math.ceil(secondsFor(question))} s.`);
  return question;
}

/** What it takes to read a text, in tokens of a short one. @param {number} tokens */
function work(tokens) {
  return tokens + tokens ** 2 / BALANCE;
}

/** Of what is asked. @param {Reply} reply */
function lastLine({ prompt }) {
  return prompt.slice(0, prompt.lastIndexOf('\n[/INST]')).split('\n').at(-1);
}

/**
 * @param {import('llama-32k').LoadedModel} loaded
 * @param {Reply} reply
 */
async function ask({ model, tokenizer }, { prompt, wanted }) {
  const { text, timings } = await complete(model, tokenizer, prompt, {
    maxNewTokens: MOST_NEW_TOKENS,
    onProgress: ({ stage, done, total }) => stage === 'prefill' && showProgress(done / total),
  });
  print(
    `${process.stdout.isTTY ? '\r\x1b[K' : ''}  reading ${timings.prefillSeconds.toFixed(1)} s`,
  );
  print(`  → ${text.replaceAll('\n', ' ⏎ ').replace(/\p{Cc}/gu, '\ufffd')}`);
  print(`    ${text === wanted ? 'right' : `wrong: it should be ${wanted}`}`);
}

/** A bar, on a terminal. @param {number} part */
function showProgress(part) {
  if (!process.stdout.isTTY) return;
  const cells = Math.floor(BAR_CELLS * part);
  const bar = `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)}`;
  process.stdout.write(`\r  reading ${bar} ${Math.floor(part * 100)} %`);
}

/** 29,413. @param {number} count */
function grouped(count) {
  return count.toLocaleString('en');
}

async function showNumbers() {
  print('\nThe logits of 19 tokens, compared with those that transformers computed for two random');
  print('models (golden/README.md). The largest difference, in standard deviations of the logits;');
  print('0 is bit for bit:\n');
  print(`${'this model in'.padEnd(WIDTH)}${'transformers in'.padEnd(17)}gqa       mha`);
  for (const numerics of /** @type {const} */ (['f64', 'f32', 'bf16', 'f16'])) {
    await showRow(numerics, numerics);
  }
  print("\nTwo mistakes that are often made, position 0 being right all the same; the model's");
  print('factor is 8:\n');
  await showRow('f64, positions not interpolated: factor 1', 'f64', 1);
  await showRow('f64, interpolated the wrong way: factor 1/8', 'f64', 1 / 8);
}

/**
 * @param {string} title
 * @param {'f64' | 'f32' | 'bf16' | 'f16'} numerics
 * @param {number} [ropeFactor]
 */
async function showRow(title, numerics, ropeFactor) {
  const gqa = await largestError('gqa', numerics, ropeFactor);
  const mha = await largestError('mha', numerics, ropeFactor);
  print(`${title.padEnd(WIDTH)}${numerics.padEnd(17)}${shown(gqa).padEnd(10)}${shown(mha)}`);
}

/**
 * max |ours − theirs| / σ(theirs) over the logits of all tokens.
 * @param {string} name
 * @param {'f64' | 'f32' | 'bf16' | 'f16'} numerics
 * @param {number | undefined} ropeFactor
 */
async function largestError(name, numerics, ropeFactor) {
  const bytes = await readFile(golden(`${name}/trace-${numerics}.safetensors`));
  const { tensors } = await openSafetensors(memorySource(bytes));
  const [ids, logits] = [tensors.get('tokens'), tensors.get('lm_head')];
  if (ids === undefined || logits === undefined) throw new Error(`${name}: no golden logits`);
  const tokens = Array.from(new BigInt64Array((await ids.readBytes()).buffer), Number);
  const theirs = await logits.read(); // [T, V]
  const options = { kernels: /** @type {const} */ ('exact'), numerics, ropeFactor };
  const { model } = await loadLlama(golden(name), options);
  const sequence = model.createSequence();
  const rows = tokens.map((token, position) => ({ token, position, sequence }));
  const { data } = await model.forward(rows, { logitsFor: [...rows.keys()] }); // [T, V]
  await model.close();
  const differences = theirs.map((logit, i) => Math.abs(data[i] - logit));
  return Math.max(...differences) / deviation(theirs);
}

/** @param {Float32Array | Float64Array} numbers */
function deviation(numbers) {
  const mean = sum(numbers, x => x) / numbers.length;
  return Math.sqrt(sum(numbers, x => (x - mean) ** 2) / numbers.length);
}

/**
 * @param {Float32Array | Float64Array} numbers
 * @param {(x: number) => number} term
 */
function sum(numbers, term) {
  let total = 0;
  for (const x of numbers) total += term(x);
  return total;
}

/** @param {number} error */
function shown(error) {
  return error === 0 ? '0' : error.toExponential(1);
}

/** @param {string} name */
function golden(name) {
  return fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}
