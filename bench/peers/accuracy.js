/**
 * Whose logits are nearer to the true ones: this project's WASM engine's or llama.cpp's, on the
 * same numbers in the same formats? `../README.md` says what the columns mean.
 *
 *     npm run accuracy
 *     npm run accuracy -- --models 110M --tokens 600 --threads 2
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { getLlama } from 'node-llama-cpp';
import { loadLlama } from '../../dist/load/model.js';
import { randomModel, stories260k } from '../../dist-bench/bench/peers/accuracy-models.js';
import { difference } from '../../dist-bench/bench/peers/differences.js';
import { makeGguf } from '../../dist-bench/bench/peers/llama-gguf.js';
import { makeCheckpoint } from '../../dist-bench/bench/random-checkpoint.js';
import { CACHES } from './engines.js';
import { promptToken } from './side.js';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'stories260k,tiny,110M' },
    /** Of the random models. */
    tokens: { type: 'string', default: '4200' },
    threads: { type: 'string', default: String(availableParallelism()) },
    stories: {
      type: 'string',
      default: fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url)),
    },
  },
});
const threads = Number(values.threads);
const length = Number(values.tokens);

const MODELS = {
  stories260k: () => stories260k(values.stories),
  tiny: async () => randomModel('tiny', length, 'exact f64', promptToken),
  '110M': async () => randomModel('110M', length, 'llama-32k f32', promptToken),
};
const TRUTHS = {
  'exact f64': { kernels: 'exact', numerics: 'f64' },
  'llama-32k f32': { kernels: 'wasm', weights: 'f32', threads },
};
const FORMATS = ['f32', 'f16', 'q8_0', 'q4_0'];
const CONTEXTS = { 'llama.cpp': CACHES.f16, 'llama.cpp, f32 cache': CACHES.f32 };

const names = values.models.split(',');
const unknown = names.find(name => MODELS[name] === undefined);
if (unknown !== undefined) {
  console.error(`there is no model "${unknown}"; there are: ${Object.keys(MODELS).join(', ')}`);
  process.exit(2);
}
const llama = await getLlama({
  gpu: false,
  build: 'never',
  maxThreads: threads,
  logLevel: 'error',
});
console.log(`llama.cpp ${llama.llamaCppRelease.release}: ${llama.systemInfo.trim()}`);
for (const name of names) await compare(await MODELS[name]());
await llama.dispose();

async function compare(model) {
  const { about, shape, numbers, tokens, positions, truth } = model;
  console.log(`\n${about}: ${positions.length} of ${tokens.length} positions; truth: ${truth}`);
  console.log(
    line('', ['with the weights as given', '', '', 'with the weights as stored', '', '']),
  );
  console.log(line('', ['RMS/σ', 'max/σ', 'KL, nats', 'RMS/σ', 'max/σ', 'KL, nats']));
  const folder = await mkdtemp(join(tmpdir(), 'llama-32k-accuracy-'));
  try {
    const given = await truthOf(model, numbers, folder);
    for (const format of FORMATS) {
      const stored = model.stored(format);
      const truths = [given, stored === numbers ? given : await truthOf(model, stored, folder)];
      const print = (who, logits) => {
        const columns = truths.flatMap(rows => {
          const { rms, largest, divergence } = difference(logits, rows);
          return [rms, largest, divergence].map(x => x.toExponential(1));
        });
        console.log(line(`${format.padEnd(5)} ${who}`, columns));
      };
      const checkpoint = join(folder, 'given');
      await makeCheckpoint(checkpoint, shape, numbers, 'F32');
      print(
        'llama-32k',
        await ourLogits(checkpoint, { kernels: 'wasm', weights: format, threads }, model),
      );
      const gguf = join(folder, `${format}.gguf`);
      await makeGguf(gguf, shape, numbers, format);
      for (const [who, options] of Object.entries(CONTEXTS))
        print(who, await theirLogits(gguf, options, model));
      await rm(gguf);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function truthOf(model, numbers, folder) {
  const checkpoint = join(folder, 'truth');
  await makeCheckpoint(checkpoint, model.shape, numbers, 'F32');
  const logits = await ourLogits(checkpoint, TRUTHS[model.truth], model);
  await rm(checkpoint, { recursive: true });
  return logits;
}

async function ourLogits(checkpoint, options, { tokens, positions }) {
  const { model } = await loadLlama(checkpoint, options);
  const sequence = model.createSequence();
  const rows = tokens.map((token, position) => ({ token, position, sequence }));
  const { shape, data } = await model.forward(rows, { logitsFor: positions });
  await model.close();
  return positions.map((_, i) => data.subarray(i * shape[1], (i + 1) * shape[1]));
}

async function theirLogits(gguf, options, { shape, tokens, positions }) {
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({
    contextSize: tokens.length + 2,
    batchSize: 512,
    threads: { ideal: threads, min: threads },
    ...options,
  });
  const wanted = new Set(positions);
  const input = tokens.map((token, i) =>
    wanted.has(i) ? [token, { generateNext: { logits: true } }] : token,
  );
  const output = await context.getSequence().controlledEvaluate(input);
  await model.dispose();
  return positions.map(position => {
    const row = new Float32Array(shape.V).fill(NaN); // should one be missing
    for (const [token, logit] of output[position].next.logits) row[token] = logit;
    return row;
  });
}

function line(name, columns) {
  return name.padEnd(28) + columns.map(text => text.padStart(10)).join('');
}
