/**
 * Logits of llama.cpp as node-llama-cpp has it prebuilt, as a directory of .npy files.
 *
 *     node reference/engines/with_node_llama_cpp.js MODEL.gguf TOKENS.json DIRECTORY f16|f32
 *
 * The last is the cache: f16 is the default, f32 has neither f16 nor flash attention.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CACHES } from '../../bench/peers/engines.js';

const peers = process.env.LLAMA_32K_PEERS ?? new URL('../../bench/peers', import.meta.url).pathname;
const required = createRequire(pathToFileURL(`${peers}/`));
const { getLlama } = await import(pathToFileURL(required.resolve('node-llama-cpp')).href);

const [gguf, tokensFile, out, cache] = process.argv.slice(2);
const { tokens } = JSON.parse(await readFile(tokensFile, 'utf8'));
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1, logLevel: 'error' });
const model = await llama.loadModel({ modelPath: resolve(gguf) });
const context = await model.createContext({
  contextSize: tokens.length + 2,
  batchSize: 512,
  threads: { ideal: 1, min: 1 },
  ...CACHES[cache],
});
const asked = tokens.map(token => [token, { generateNext: { logits: true } }]);
const output = await context.getSequence().controlledEvaluate(asked);
const rows = output.map(({ next }) => next.logits);
const logits = new Float32Array(rows.length * rows[0].size).fill(NaN); // should one be missing
for (const [r, row] of rows.entries())
  for (const [token, logit] of row) logits[r * row.size + token] = logit;

await mkdir(out, { recursive: true });
await writeNpy('logits', '<f4', [rows.length, rows[0].size], logits);
await writeNpy('tokens', '<i4', [tokens.length], Int32Array.from(tokens));
const { release } = llama.llamaCppRelease;
console.log(`llama.cpp ${release}, flash attention ${context.flashAttention}`);
await llama.dispose();

/** https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0. */
async function writeNpy(name, descr, shape, data) {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const text = `${header.padEnd(117)}\n`;
  const start = Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length, 0]),
    Buffer.from(text),
  ]);
  await writeFile(join(out, `${name}.npy`), [start, Buffer.from(data.buffer)]);
}
