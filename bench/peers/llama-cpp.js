/** llama.cpp as node-llama-cpp has it prebuilt for this machine, in a process of its own. */
import { getLlama } from 'node-llama-cpp';
import { promptToken, serve } from './side.js';

const GREEDY = { temperature: 0, yieldEogToken: true };

await serve(async ({ gguf, threads, size, vocabSize }) => {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: threads,
    logLevel: 'error',
  });
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({
    contextSize: size,
    batchSize: 512,
    threads: { ideal: threads, min: threads },
  });
  const sequence = context.getSequence();
  return {
    about:
      `llama.cpp ${llama.llamaCppRelease.release}: ${llama.systemInfo.trim()} flash attention ` +
      `${context.flashAttention}`,
    async truncate(length) {
      const { nextTokenIndex } = sequence;
      if (nextTokenIndex > length)
        await sequence.eraseContextTokenRanges([{ start: length, end: nextTokenIndex }]);
    },
    async prefill(count) {
      const start = sequence.nextTokenIndex;
      const tokens = Array.from({ length: count }, (_, i) => promptToken(start + i, vocabSize));
      for await (const token of sequence.evaluate(tokens, GREEDY)) return token;
    },
    async decode(first, count) {
      let left = count;
      for await (const _ of sequence.evaluate([first], GREEDY)) if (--left === 0) return;
    },
    close: () => llama.dispose(),
  };
});
