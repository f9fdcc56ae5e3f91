/**
 * What llama.cpp computes of a text, by node-llama-cpp: logits after every token.
 *
 *     node dump_node_llama_cpp.mjs model.gguf tokens.txt theirs.safetensors
 *
 * tokens.txt has ids as `llama-32k tokenize` prints them. Of a long text take some positions only:
 * every logit is an entry of a Map here. The cache is float32 and attention not fused, so that
 * the type of the file is all that is rounded to; by default both round to float16.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { encode, writeSafetensors } from 'llama-32k/safetensors';
// @ts-expect-error: it is no dependency of this project
import { getLlama } from 'node-llama-cpp';

const [modelPath, tokensPath, out] = process.argv.slice(2);
const tokens = (await readFile(tokensPath, 'utf8')).split(',').map(Number);

const llama = await getLlama({ gpu: false });
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({
  contextSize: tokens.length + 1,
  experimentalKvCacheKeyType: 'F32',
  experimentalKvCacheValueType: 'F32',
  flashAttention: false,
});
const input = tokens.map(token => [token, { generateNext: { logits: true } }]);
const output = await context.getSequence().controlledEvaluate(input);
await llama.dispose();

const width = output[0].next.logits.size;
const logits = new Float32Array(tokens.length * width);
for (const [row, { next }] of output.entries())
  for (const [id, logit] of next.logits) logits[row * width + id] = logit;

const ids = new Uint8Array(BigInt64Array.from(tokens, BigInt).buffer);
const file = writeSafetensors([
  { name: 'tokens', dtype: 'I64', shape: [tokens.length], chunks: [ids] },
  {
    name: 'logits',
    dtype: 'F32',
    shape: [tokens.length, width],
    chunks: [encode('F32', logits)],
  },
]);
await writeFile(out, file);
