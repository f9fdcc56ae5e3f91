/** transformers.js: ONNX Runtime in Node, on the CPU, in a process of its own. */
import { basename, dirname, resolve } from 'node:path';
import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';
import { argmax, promptToken, serve } from './side.js';

await serve(async ({ onnx, dtype, threads, vocabSize }) => {
  if (onnx === '') throw new Error('--onnx names no directory that reference/make_onnx.py wrote');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(onnx));
  const model = await AutoModelForCausalLM.from_pretrained(basename(resolve(onnx)), {
    dtype,
    device: 'cpu',
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  let past; // keys and values, [1, K, positions, d] each
  let length = 0;

  /** The token that continues what was read and `tokens`. */
  async function forward(tokens) {
    length += tokens.length;
    const outputs = await model({
      input_ids: integers(tokens.map(BigInt)),
      attention_mask: integers(new Array(length).fill(1n)),
      ...(past && { past_key_values: past }),
    });
    past = Object.fromEntries(
      Object.entries(outputs)
        .filter(([name]) => name.startsWith('present'))
        .map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor]),
    );
    return argmax(outputs.logits.data.subarray(-vocabSize));
  }

  return {
    about: `transformers.js ${env.version}, ${dtype}, ${threads} threads`,
    truncate(to) {
      if (to === 0) past = undefined;
      for (const [name, tensor] of Object.entries(past ?? {}))
        past[name] = tensor.slice(null, null, [0, to]);
      length = to;
    },
    prefill: count =>
      forward(Array.from({ length: count }, (_, i) => promptToken(length + i, vocabSize))),
    async decode(first, count) {
      let token = first;
      for (let i = 0; i < count; i++) token = await forward([token]);
    },
    close: () => model.dispose(),
  };
});

/** [1, N] */
function integers(values) {
  return new Tensor('int64', BigInt64Array.from(values), [1, values.length]);
}
