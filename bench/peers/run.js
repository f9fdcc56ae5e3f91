/**
 * llama.cpp, native, and this project's WASM engine on the same model and the same machine, taking turns. Let nothing else run meanwhile.
 *
 *     npm install --no-save --ignore-scripts       as the lock file says, also where a registry lacks the binaries of other systems
 *     npm start -- --shape 1.1B --weights q8_0 --threads 2
 *     npm start -- --shape 1.1B --weights q8_0 --context 16384      decoding with so many tokens in the cache
 */
import { fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GGML_TYPES } from '../../dist-bench/bench/peers/gguf.js';
import { makeRandomGguf } from '../../dist-bench/bench/peers/random-gguf.js';
import { makeRandomCheckpoint } from '../../dist-bench/bench/random-checkpoint.js';
import { readBandwidth } from '../../dist-bench/bench/read-bandwidth.js';
import { matrixParameters, SHAPES } from '../../dist-bench/bench/shapes.js';

const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: '110M' },
    weights: { type: 'string', default: 'q8_0' },
    threads: { type: 'string', default: String(availableParallelism()) },
    prefill: { type: 'string', default: '512' },
    decode: { type: 'string', default: '64' },
    context: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '3' },
    /** Where models are kept from one run to the next; 1.1B takes 2.2 GB and 7B takes 13 GB, and as much again for llama.cpp's. */
    models: { type: 'string', default: join(tmpdir(), 'llama-32k-peers') },
  },
});
const shape = SHAPES[values.shape];
const { weights } = values;
if (shape === undefined || GGML_TYPES[weights] === undefined) {
  const names = object => Object.keys(object).join(', ');
  console.error(`shapes: ${names(SHAPES)}; weights: ${names(GGML_TYPES)}`);
  process.exit(2);
}
const [threads, prefill, decode, context, rounds] = ['threads', 'prefill', 'decode', 'context', 'rounds'].map(name =>
  Number(values[name]),
);

const checkpoint = join(values.models, `${values.shape}-f16`);
const gguf = join(values.models, `${values.shape}-${weights}.gguf`);
await mkdir(values.models, { recursive: true });
await makeRandomCheckpoint(checkpoint, shape);
await makeRandomGguf(gguf, shape, weights);

const bandwidth = await readBandwidth(threads);
// llama.cpp's threads wait for each other spinning: with anything else running, its figures collapse and the ratios mean nothing.
const [load] = loadavg();
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0].model}, load ${load.toFixed(1)}, memory read at ${gigabytes(bandwidth)} GB/s`,
);

const size = Math.max(context, prefill) + decode + 1;
const settings = { checkpoint, gguf, weights, threads, size, vocabSize: shape.V, prefill, decode, context };
const peers = [];
for (const script of ['llama-cpp.js', 'ours.js']) peers.push(await start(script));
for (const { loaded } of peers) console.log(loaded.about);
for (let round = 0; round <= rounds; round++) {
  for (const { measured, ask } of peers) {
    const result = await ask('round');
    if (round > 0) measured.push(result); // the first one is for the compilers and the caches
  }
}
for (const { child } of peers) child.send('close');
report();

async function start(script) {
  const child = fork(new URL(script, import.meta.url));
  const ask = message =>
    new Promise((resolve, reject) => {
      const failed = code => reject(new Error(`${script} ended with exit code ${code}`));
      child.once('exit', failed);
      child.once('message', answer => {
        child.off('exit', failed);
        resolve(answer);
      });
      child.send(message);
    });
  return { child, ask, loaded: await ask(settings), measured: [] };
}

function report() {
  const weightBytes = (matrixParameters(shape) / 32) * GGML_TYPES[weights].blockBytes;
  const what = context > 0 ? `after ${context} tokens` : `prefill of ${prefill} tokens`;
  console.log(`\n${values.shape} ${weights}, ${threads} threads, ${what}, decode of ${decode}, median of ${rounds}`);
  console.log(line('', 'llama.cpp', 'llama-32k', 'ratio'));
  if (context === 0) rates('prefill, tokens/s', ({ measured }) => prefill / median(measured, 'prefill'));
  else rates('filling, tokens/s (once)', ({ loaded }) => context / loaded.fill);
  rates('decode, tokens/s', ({ measured }) => decode / median(measured, 'decode'));
  rates('weights, GB/s', ({ measured }) => ((decode / median(measured, 'decode')) * weightBytes) / 1e9);
  rates(
    '… of the bandwidth, %',
    ({ measured }) => ((decode / median(measured, 'decode')) * weightBytes * 100) / bandwidth,
  );
  rates('loading, s', ({ loaded }) => loaded.seconds);
  rates('peak memory, GB', ({ measured }) => Math.max(...measured.map(({ peakBytes }) => peakBytes)) / 1e9);
}

function rates(name, figure) {
  const [theirs, ours] = peers.map(figure);
  console.log(line(name, theirs.toFixed(2), ours.toFixed(2), (ours / theirs).toFixed(2)));
}

function line(name, ...columns) {
  return name.padEnd(26) + columns.map(text => text.padStart(11)).join('');
}

function median(results, key) {
  const sorted = results.map(result => result[key]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(1);
}
