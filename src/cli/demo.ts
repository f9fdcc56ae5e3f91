/**
 * `npm run demo`: a chat with the embedded model, a question about 30,000 tokens with and without position interpolation, and the numbers of the
 * implementation beside those of Hugging Face transformers. For a clone of the repository: the package does not have all golden files.
 */
import type { LlamaConfig } from '../config.js';
import { complete } from '../generate.js';
import { type GreedyReply, openGolden, readGreedyReplies, readIntegers, readTensors } from '../golden.js';
import { type LoadedModel, loadModel } from '../load.js';
import type { NumericsName } from '../ops/rounding.js';
import type { Floats } from '../tensor.js';
import { shownOn } from './io.js';
import { ProgressBar } from './progress-bar.js';

const WIDTH = 46;
const MOST_NEW_TOKENS = 40;

await showChat();
await showNumbers();

/** Every prompt is one that the model has not been trained on (golden/tiny-32k/README.md), and comes with the reply that is right. */
async function showChat(): Promise<void> {
  const replies = await readGreedyReplies('tiny-32k');
  const instruction = replies.find(({ task, reply, wanted }) => task === 'instruction: reverse' && reply === wanted)!;
  const question = replies.at(-1)!;
  const { task, promptTokens } = question;
  print(
    '\ntiny-32k: trained at 4,096 positions, stretched by 8 to 32,768, trained on, and shipped with this repository.\n',
  );
  await using loaded = await loadModel();
  print(`  ${lastLine(instruction)}`);
  await ask(loaded, instruction);
  print(`\n  ${promptTokens.toLocaleString('en')} tokens, ${task}, one of which holds the answer.`);
  print(`  ${lastLine(question)}`);
  await ask(loaded, question);
  print('\n  The same with positions as they are, that is with factor 1 instead of 8:');
  await using ignored = await loadModel(undefined, { ropeFactor: 1 });
  await ask(ignored, question);
}

/** Of what is asked. */
function lastLine({ prompt }: GreedyReply): string {
  return prompt.slice(0, prompt.lastIndexOf('\n[/INST]')).split('\n').at(-1)!;
}

async function ask({ model, tokenizer }: LoadedModel, { prompt, wanted }: GreedyReply): Promise<void> {
  const bar = new ProgressBar(process.stdout, '  reading ');
  const { text, timings } = await complete(model, tokenizer, prompt, {
    maxNewTokens: MOST_NEW_TOKENS,
    onProgress: ({ stage, done, total }) => stage === 'prefill' && bar.show(done / total),
  });
  bar.end(`${timings.prefillSeconds.toFixed(1)} s`);
  print(`  → ${shownOn(process.stdout, text.replaceAll('\n', ' ⏎ '))}`);
  print(`    ${text === wanted ? 'right' : `wrong: it should be ${wanted}`}`);
}

async function showNumbers(): Promise<void> {
  print(
    '\nThe logits of 19 tokens, compared with those that transformers computed for two random models (golden/README.md).',
  );
  print('The largest difference, in standard deviations of the logits; 0 is bit for bit:\n');
  print(`${'this model in'.padEnd(WIDTH)}${'transformers in'.padEnd(17)}gqa       mha`);
  for (const numerics of ['f64', 'f32', 'bf16', 'f16'] as const) await showRow(numerics, numerics, numerics);
  print("\nTwo mistakes that are often made, position 0 being right all the same; the model's factor is 8:\n");
  await showRow('f64, positions not interpolated: factor 1', 'f64', 'f64', { ropeFactor: 1 });
  await showRow('f64, interpolated the wrong way: factor 1/8', 'f64', 'f64', { ropeFactor: 1 / 8 });
}

async function showRow(title: string, ours: NumericsName, theirs: NumericsName, changes: Partial<LlamaConfig> = {}) {
  const gqa = await largestError('gqa', ours, theirs, changes);
  const mha = await largestError('mha', ours, theirs, changes);
  print(`${title.padEnd(WIDTH)}${theirs.padEnd(17)}${shown(gqa).padEnd(10)}${shown(mha)}`);
}

/** max |ours − theirs| / σ(theirs) over the logits of all tokens. */
async function largestError(
  name: string,
  ours: NumericsName,
  theirs: NumericsName,
  changes: Partial<LlamaConfig>,
): Promise<number> {
  const file = `${name}/trace-${theirs}.safetensors`;
  const tokens = await readIntegers(file, 'tokens');
  const golden = (await readTensors(file)).get('lm_head')!.data; // [T, V]
  const model = await openGolden(name, ours, changes);
  const sequence = model.createSequence();
  const rows = tokens.map((token, position) => ({ token, position, sequence }));
  const { data } = await model.forward(rows, { logitsFor: [...rows.keys()] }); // [T, V]
  await model.close();
  const differences = golden.map((logit, i) => Math.abs(data[i] - logit));
  return Math.max(...differences) / deviation(golden);
}

function deviation(numbers: Floats): number {
  const mean = sum(numbers, x => x) / numbers.length;
  return Math.sqrt(sum(numbers, x => (x - mean) ** 2) / numbers.length);
}

function sum(numbers: Floats, term: (x: number) => number): number {
  let total = 0;
  for (const x of numbers) total += term(x);
  return total;
}

function shown(error: number): string {
  return error === 0 ? '0' : error.toExponential(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
