/**
 * llama.cpp behind the interface that `src/text/perplexity` scores a model by, so that both engines
 * are scored by the same code. One sequence at a time.
 */
import { getLlama } from 'node-llama-cpp';
import { CACHES } from './engines.js';

/** The model of a GGUF file; `cache`: f32, f16 or q8. `close` gives everything back. */
export async function openLlamaCpp(gguf, { threads, cache, context: contextSize, config }) {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: threads,
    logLevel: 'error',
  });
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({
    contextSize,
    batchSize: 512,
    threads: { ideal: threads, min: threads },
    ...CACHES[cache],
  });
  const sequence = context.getSequence();
  return {
    about: `llama.cpp ${llama.llamaCppRelease.release}`,
    model: {
      config,
      createSequence: () => new Positions(),
      async forward(rows, { logitsFor }) {
        if (rows[0].position === 0) await sequence.clearHistory();
        const wanted = new Set(logitsFor);
        const output = await sequence.controlledEvaluate(
          rows.map(({ token }, i) =>
            wanted.has(i) ? [token, { generateNext: { logits: true } }] : token,
          ),
        );
        for (const { sequence: positions } of rows) positions.length += 1;
        return {
          data: joinRows(
            logitsFor.map(i => output[i].next.logits),
            config.vocabSize,
          ),
        };
      },
    },
    close: () => llama.dispose(),
  };
}

class Positions {
  length = 0;

  dispose() {}
}

/** [maps.length, V]. */
function joinRows(maps, vocabSize) {
  const data = new Float32Array(maps.length * vocabSize).fill(NaN); // should one be missing
  for (const [row, logits] of maps.entries())
    for (const [token, logit] of logits) data[row * vocabSize + token] = logit;
  return data;
}
