/**
 * This project's WASM engine and llama.cpp, native and in WebAssembly, on the same model and the
 * same machine, taking turns. Let nothing else run meanwhile. `../README.md` says what the figures
 * mean.
 *
 *     npm install --no-save --ignore-scripts       as the lock file says, also where a registry
 *                                                  lacks the binaries of other systems
 *     npm start -- --shape 1.1B --weights q8_0 --threads 2 --peers llama-cpp,wllama
 *     npm start -- --shape 1.1B --weights q8_0 --context 16384
 *                                                  decoding with so many tokens in the cache
 *     npm start -- --gguf model.Q4_K_M.gguf                         a model of yours
 *     npm start -- --users 1,2,4,8,16 --prefill 32 --decode 32
 *                                                  many texts at once
 *     npm start -- --gguf model.gguf --onnx DIRECTORY --peers llama-cpp,onnx-q4,onnx-q8
 */
import { mkdir, stat } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openModelFiles } from '../../dist/load/model-files.js';
import { GGML_TYPES } from '../../dist-bench/bench/ggml-types.js';
import { makeRandomGguf } from '../../dist-bench/bench/peers/llama-gguf.js';
import { makeRandomCheckpoint } from '../../dist-bench/bench/random-checkpoint.js';
import { readBandwidth } from '../../dist-bench/bench/read-bandwidth.js';
import { recordBench, recordComparison } from '../../dist-bench/bench/results.js';
import { SHAPES } from '../../dist-bench/bench/shapes.js';
import { PEERS, Peer } from './peer.js';
import { comparisonOf, report, reportTogether } from './report.js';

const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: '110M' },
    weights: { type: 'string', default: 'q8_0' },
    /** Instead of a random model: a file, which both sides read as it is. */
    gguf: { type: 'string' },
    /** The same model as `reference/make_onnx.py` writes it, for onnx-q4 and onnx-q8. */
    onnx: { type: 'string', default: '' },
    /** How we keep keys and values: f32, f16 or q8. llama.cpp keeps them as f16. */
    cache: { type: 'string', default: 'f16' },
    peers: { type: 'string', default: 'llama-cpp' },
    threads: { type: 'string', default: String(availableParallelism()) },
    prefill: { type: 'string', default: '512' },
    decode: { type: 'string', default: '64' },
    context: { type: 'string', default: '0' },
    /** How many texts at once, one number after the other; instead of one text, and its memory. */
    users: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    /**
     * One model in memory at a time, all rounds of one side before the next; chosen by itself where
     * memory is short.
     */
    'one-at-a-time': { type: 'boolean', default: false },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    /**
     * Where models are kept from one run to the next; 1.1B takes 2.2 GB and 7B takes 13 GB, and as
     * much again for llama.cpp's.
     */
    models: { type: 'string', default: join(tmpdir(), 'llama-32k-peers') },
  },
});
const { weights, cache, chromium, onnx } = values;
const names = [...values.peers.split(','), 'ours'];
const shape = SHAPES[values.shape];
if (
  shape === undefined ||
  GGML_TYPES[weights] === undefined ||
  names.some(name => PEERS[name] === undefined)
) {
  const list = object => Object.keys(object).join(', ');
  console.error(`shapes: ${list(SHAPES)}; weights: ${list(GGML_TYPES)}; peers: ${list(PEERS)}`);
  process.exit(2);
}
const [threads, prefill, decode, context, rounds] = [
  'threads',
  'prefill',
  'decode',
  'context',
  'rounds',
].map(name => Number(values[name]));

const model =
  values.gguf === undefined
    ? await randomModel()
    : { name: basename(values.gguf), gguf: values.gguf };
const { config, weightBytes } = await describe(model.gguf);

const bandwidth = await readBandwidth(threads);
// llama.cpp's threads wait for each other spinning: with anything else running, its figures
// collapse and the ratios mean nothing.
const [load] = loadavg();
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0].model}, load ${load.toFixed(1)}, ` +
    `memory read at ${(bandwidth / 1e9).toFixed(1)} GB/s`,
);

const size = Math.max(context, prefill) + decode + 1;
const { vocabSize } = config;
const users = values.users === '' ? [] : values.users.split(',').map(Number);
const settings = {
  checkpoint: model.gguf,
  ...model,
  cache,
  threads,
  size,
  vocabSize,
  prefill,
  decode,
  context,
  users,
  chromium,
  onnx,
};
const takeTurns = !values['one-at-a-time'] && (await fitsInMemory());
if (!takeTurns)
  console.log('one side after the other, not taking turns: there is one model in memory at a time');
const measured = [];
for (const group of takeTurns ? [names] : names.map(name => [name]))
  measured.push(...(await measure(group)));
if (measured.at(-1)?.label === PEERS.ours.label) {
  const setting = { ...settings, weightBytes, rounds, bandwidth };
  if (users.length > 0) {
    const rows = reportTogether(measured, setting);
    console.log(
      `written: ${recordBench(`users ${model.name}`, { threads, prefill, decode, rows })}`,
    );
  } else {
    report(measured, setting);
    const comparison = context === 0 ? comparisonOf(measured, setting) : undefined;
    // files of one's own are not what the README's table is about
    if (comparison !== undefined && values.gguf === undefined) {
      console.log(`written: ${recordComparison({ model: values.shape, weights, ...comparison })}`);
    }
  }
}

/** Measures those of `group` that can be, and sets the exit code if one cannot. */
async function measure(group) {
  let peers = group.map(name => new Peer(name));
  await everyone(async peer => {
    await peer.load(settings);
    console.log(peer.loaded.about);
  });
  for (let round = 0; round <= rounds; round++) {
    await everyone(async peer => {
      const result = await peer.round();
      // the first one is for the compilers and the caches
      if (round > 0) peer.measured.push(result);
    });
  }
  await everyone(peer => peer.close());
  return peers;

  /** One after the other; who fails is left out from then on. */
  async function everyone(work) {
    const well = [];
    for (const peer of peers) {
      try {
        await work(peer);
        well.push(peer);
      } catch (error) {
        console.error(`${error.message}; it is left out`);
        process.exitCode = 1;
      }
    }
    peers = well;
  }
}

/**
 * The same numbers for both: a Hugging Face directory, from which ours makes every format, and a
 * GGUF file.
 */
async function randomModel() {
  const checkpoint = join(values.models, `${values.shape}-f16`);
  const gguf = join(values.models, `${values.shape}-${weights}.gguf`);
  await mkdir(values.models, { recursive: true });
  await makeRandomCheckpoint(checkpoint, shape);
  await makeRandomGguf(gguf, shape, weights);
  return { name: `${values.shape} ${weights}`, checkpoint, gguf, weights };
}

/** `weightBytes`: of all matrices but the embedding, of which a token takes only a row. */
async function describe(path) {
  const { config, checkpoint } = await openModelFiles(path);
  await checkpoint.close();
  const matrices = [...checkpoint.tensors.values()].filter(({ shape }) => shape.length === 2);
  const multiplied = matrices.filter(
    ({ name }) => config.tieWordEmbeddings || name !== 'model.embed_tokens.weight',
  );
  return { config, weightBytes: multiplied.reduce((sum, { byteLength }) => sum + byteLength, 0) };
}

/**
 * Whether all models, and a fifth more for everything else, fit at once. Float32 keys and values
 * are the largest there are.
 */
async function fitsInMemory() {
  const { size: fileBytes } = await stat(model.gguf);
  const { numHiddenLayers, numKeyValueHeads, headDim } = config;
  const cacheBytes =
    size * Math.max(1, ...users) * numHiddenLayers * 2 * numKeyValueHeads * headDim * 4;
  return names.length * (fileBytes + cacheBytes) * 1.2 < freemem();
}
