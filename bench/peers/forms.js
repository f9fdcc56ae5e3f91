/**
 * Does llama.cpp read from the GGUF files that this project writes the model that this project
 * reads from them? For each format: the same greedy text, and the same probabilities.
 * `../README.md` says what the columns mean, and when a format passes.
 *
 *     npm run forms
 *     npm run forms -- ../../golden/gqa --formats F32,Q8_0
 *     npm run forms -- --random 110M --formats Q4_K_M
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { getLlama } from 'node-llama-cpp';
import { FILE_TYPES } from '../../dist/convert/gguf/recipes.js';
import { ggufOfModel } from '../../dist/convert/gguf/write-model.js';
import { writeGguf } from '../../dist/files/gguf/writer.js';
import { openModelFiles } from '../../dist/load/model-files.js';
import { openTokenizerModel } from '../../dist/load/tokenizer.js';
import { isBlockDType } from '../../dist/model/dtypes.js';
import { Tokenizer } from '../../dist/tokenizer/tokenizer.js';
import { difference } from '../../dist-bench/bench/peers/differences.js';
import { verdictOf } from '../../dist-bench/bench/peers/verdict.js';
import { madeUpTokenizer } from '../../dist-bench/bench/peers/vocabulary.js';
import { makeRandomCheckpoint } from '../../dist-bench/bench/random-checkpoint.js';
import { SHAPES } from '../../dist-bench/bench/shapes.js';
import { CACHES, openOurs, openTheirs } from './engines.js';

const STORIES = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
const PROMPTS = ['', 'Once upon a time', 'The big dog', 'Lily said'];
const WRITTEN = 64;
/** The first in it is BOS; the others are what the model writes in float32. */
const TEXT_LENGTH = 256;
const CONTEXT = 512;
/** Whose rounding no greedy text should show. */
const EXACT = ['F32', 'F16'];
/**
 * In nats. Texts of random weights are full of near ties, so there the probabilities must be the
 * same, but for llama.cpp's f16 cache.
 */
const SAME = 1e-6;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    formats: { type: 'string', default: Object.keys(FILE_TYPES).join() },
    /** Shapes of models with random weights. */
    random: { type: 'string', default: '' },
    /** llama.cpp's: f16 as it comes, or f32, the nearest that it gets to ours. */
    cache: { type: 'string', default: 'f16' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const threads = Number(values.threads);
const formats = values.formats.split(',');
const shapes = values.random === '' ? [] : values.random.split(',');
const choices = { formats: FILE_TYPES, shapes: SHAPES, caches: CACHES };
const isUnknown = ([kind, name]) => choices[kind][name] === undefined;
const chosen = [
  ...formats.map(x => ['formats', x]),
  ...shapes.map(x => ['shapes', x]),
  ['caches', values.cache],
];
if (chosen.some(isUnknown)) {
  for (const [kind, known] of Object.entries(choices))
    console.error(`${kind}: ${Object.keys(known).join()}`);
  process.exit(2);
}
const directories = positionals.length > 0 || shapes.length > 0 ? positionals : [STORIES];

const folder = await mkdtemp(join(tmpdir(), 'llama-32k-forms-'));
const llama = await getLlama({
  gpu: false,
  build: 'never',
  maxThreads: threads,
  logLevel: 'error',
});
console.log(`llama.cpp ${llama.llamaCppRelease.release}: ${llama.systemInfo.trim()}`);
try {
  for (const path of directories)
    await compare(basename(path), path, await openTokenizerModel(path), isSameText);
  for (const shape of shapes) {
    const path = join(folder, shape);
    await makeRandomCheckpoint(path, SHAPES[shape], 'F32');
    await compare(`${shape}, random`, path, madeUpTokenizer(SHAPES[shape].V), areSameProbabilities);
  }
} finally {
  await llama.dispose();
  await rm(folder, { recursive: true });
}

/** @param isSame decides, from what `measure` finds, whether an exact format passes */
async function compare(name, path, tokenizer, isSame) {
  const { config, checkpoint } = await openModelFiles(path);
  const model = { name, config, checkpoint, tokenizer };
  const read = new Tokenizer(tokenizer);
  const prompts = PROMPTS.map(text => [
    config.bosTokenId,
    ...(text === '' ? [] : read.encode(text)),
  ]);
  console.log(`\n${name}: ${prompts.length} prompts, and a text of ${TEXT_LENGTH} tokens`);
  console.log(line('', ['same greedy', 'theirs–ours', 'f32–ours', 'f32–theirs', '']));

  const { text, rows } = await inGguf(model, 'F32', async gguf => {
    const ours = await openOurs(gguf, { threads, context: CONTEXT });
    const text = [config.bosTokenId, ...(await ours.greedy([config.bosTokenId], TEXT_LENGTH - 1))];
    const rows = await ours.logits(text);
    await ours.close();
    return { text, rows };
  });
  for (const format of formats.filter(format => hasItsOwn(format, model))) {
    const [ours, theirs] = await inGguf(model, format, gguf => both(gguf, config, prompts, text));
    report(format, measure(ours, theirs, rows), isSame);
  }
  await checkpoint.close();
}

/** Block formats become F16 where the rows are no multiple of a block. */
function hasItsOwn(format, model) {
  const isBlocks = isBlockDType(FILE_TYPES[format].dtype);
  return !isBlocks || ggufOfModel(model, format).tensors.some(({ dtype }) => isBlockDType(dtype));
}

/** What `use` returns for `model` in a GGUF file of its own. */
async function inGguf(model, format, use) {
  const gguf = join(folder, `${format}.gguf`);
  const { metadata, tensors } = ggufOfModel(model, format);
  await writeFile(gguf, writeGguf(metadata, tensors));
  const result = await use(gguf);
  await rm(gguf);
  return result;
}

/** Of each engine, what it writes after each of `prompts`, and its logits for `text`. */
async function both(gguf, { vocabSize }, prompts, text) {
  const settings = { threads, context: CONTEXT, vocabSize, cache: values.cache };
  const found = [];
  for (const open of [() => openOurs(gguf, settings), () => openTheirs(llama, gguf, settings)]) {
    const engine = await open();
    const written = [];
    for (const prompt of prompts) written.push(await engine.greedy(prompt, WRITTEN));
    found.push({ written, logits: await engine.logits(text) });
    await engine.close();
  }
  return found;
}

function measure(ours, theirs, f32) {
  const divergence = (truth, logits) => difference(logits, truth).divergence;
  return {
    same: ours.written.filter((tokens, i) => tokens.join() === theirs.written[i].join()).length,
    prompts: ours.written.length,
    between: divergence(theirs.logits, ours.logits),
    fromF32: [ours, theirs].map(({ logits }) => divergence(f32, logits)),
  };
}

function isSameText({ same, prompts }) {
  return same === prompts;
}

function areSameProbabilities({ between }) {
  return between < SAME;
}

function report(format, found, isSame) {
  const { same, prompts, between, fromF32 } = found;
  const isLossless = EXACT.includes(format) || fromF32[0] === 0;
  const verdict = isLossless ? (isSame(found) ? 'PASS' : 'FAIL') : verdictOf(found);
  if (verdict === 'FAIL') process.exitCode = 1;
  const divergences = [between, ...fromF32].map(x => x.toExponential(2));
  console.log(line(format, [`${same} of ${prompts}`, ...divergences, verdict]));
}

function line(name, columns) {
  return name.padEnd(8) + columns.map(text => text.padStart(13)).join('');
}
