/**
 * `npm run demo`: a text through the tokenizer and the model, and the model's numbers beside those of Hugging Face transformers.
 * For a clone of the repository: the package does not have all golden files.
 */
import type { LlamaConfig } from '../config.js';
import { complete } from '../generate.js';
import { openGolden, readIntegers, readTensors } from '../golden.js';
import { loadModel } from '../load.js';
import type { NumericsName } from '../ops/rounding.js';
import { formatPrompt } from '../prompt.js';
import type { Floats } from '../tensor.js';
import { shownOn } from './io.js';

const INSTRUCTION = 'Write a poem about cats.';
const NEW_TOKENS = 32;
const WIDTH = 46;

await showText();
await showNumbers();

async function showText(): Promise<void> {
  await using loaded = await loadModel(undefined, { kernels: 'exact' });
  const { model, tokenizer } = loaded;
  const prompt = formatPrompt([{ role: 'user', content: INSTRUCTION }]);
  const ids = tokenizer.encode(prompt, { bos: true });
  const { text, tokens } = await complete(model, tokenizer, ids, { maxNewTokens: NEW_TOKENS });
  const { numHiddenLayers, vocabSize } = model.config;
  print(`
This is a small random model (golden/gqa: ${numHiddenLayers} layers, ${vocabSize} tokens): no trained one is embedded yet. Its text is noise;
its numbers are what can be checked.

An instruction in the format of the model card
  ${JSON.stringify(prompt)}
is, with BOS in front, these ${ids.length} tokens
  ${tokenizer.pieces(ids).join(' ')}
  ${ids.join(' ')}
which the model continues, greedily, with ${tokens.length} more
  ${tokens.join(' ')}
that is
  ${JSON.stringify(shownOn(process.stdout, text))}
`);
}

async function showNumbers(): Promise<void> {
  print('The logits of 19 tokens, compared with those that transformers computed (golden/README.md).');
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
