/**
 * The model as a GGUF file with 8-bit blocks, which then says the same: `node examples/convert.js
 * FILE.gguf`, or into a folder that is removed again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { complete, EMBEDDED_MODEL, loadModel, quantizeModel } from 'llama-32k';

const scratch = await mkdtemp(join(tmpdir(), 'llama-32k-example-'));
const output = process.argv[2] ?? join(scratch, 'tiny-32k.gguf');
try {
  const { bytes, tensors } = await quantizeModel(EMBEDDED_MODEL, output, { type: 'q8_0' });
  console.log(`${tensors} tensors, ${bytes} bytes`);
  const { model, tokenizer, close } = await loadModel(output);
  const prompt = '[INST]\nWhich of these is an animal: bells, hare, flute?\n[/INST]\n\n';
  console.log((await complete(model, tokenizer, prompt, { maxNewTokens: 20 })).text);
  await close();
} finally {
  await rm(scratch, { recursive: true });
}
