/**
 * The two engines on one and the same GGUF file: what each would write, and what it thinks of a
 * text. Tokens in, tokens and logits out.
 */
import { loadLlama } from '../../dist/load/model.js';
import { argmax } from './side.js';

/** This project's WASM engine; without `weights`, every matrix is in the format of the file. */
export async function openOurs(gguf, { threads, context, weights }) {
  const { model } = await loadLlama(gguf, { kernels: 'wasm', threads, context, weights });
  const forward = (sequence, tokens, options) => {
    const start = sequence.length;
    return model.forward(
      tokens.map((token, i) => ({ token, position: start + i, sequence })),
      options,
    );
  };
  return {
    async greedy(prompt, count) {
      const sequence = model.createSequence();
      const tokens = [];
      for (let next = prompt; tokens.length < count; next = tokens.slice(-1)) {
        const { data } = await forward(sequence, next); // [1, V]
        tokens.push(argmax(data));
      }
      sequence.dispose();
      return tokens;
    },
    /** A row for each token from index `from` on. */
    async logits(tokens, from = 0) {
      const sequence = model.createSequence();
      const logitsFor = [...tokens.keys()].slice(from);
      const { shape, data } = await forward(sequence, tokens, { logitsFor }); // [R, V]
      sequence.dispose();
      return logitsFor.map((_, row) => data.subarray(row * shape[1], (row + 1) * shape[1]));
    },
    close: () => model.close(),
  };
}

/**
 * Of llama.cpp: as it comes; with float32 keys and values, which it would round to f16 again for
 * its flash attention; and with blocks of Q8_0.
 */
export const CACHES = {
  f16: {},
  f32: {
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
    flashAttention: false,
  },
  q8: {
    experimentalKvCacheKeyType: 'Q8_0',
    experimentalKvCacheValueType: 'Q8_0',
    flashAttention: true,
  },
};

/** llama.cpp. */
export async function openTheirs(llama, gguf, { threads, context: contextSize, vocabSize, cache }) {
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({
    contextSize,
    batchSize: 512,
    threads: { ideal: threads, min: threads },
    ...CACHES[cache],
  });
  const sequence = context.getSequence();
  return {
    async greedy(prompt, count) {
      await sequence.clearHistory();
      const tokens = [];
      for await (const token of sequence.evaluate(prompt, {
        temperature: 0,
        yieldEogToken: true,
      })) {
        if (tokens.push(token) === count) break;
      }
      return tokens;
    },
    async logits(tokens, from = 0) {
      await sequence.clearHistory();
      const wanted = token => [token, { generateNext: { logits: true } }];
      const output = await sequence.controlledEvaluate(
        tokens.map((token, i) => (i < from ? token : wanted(token))),
      );
      return output.slice(from).map(({ next }) => {
        const row = new Float32Array(vocabSize).fill(NaN); // should one be missing
        for (const [token, logit] of next.logits) row[token] = logit;
        return row;
      });
    },
    close: () => model.dispose(),
  };
}
