/** llama.cpp as node-llama-cpp has it prebuilt for this machine, in a process of its own. */
import { getLlama } from 'node-llama-cpp';
import { promptOf, promptToken, serve } from './side.js';

const GREEDY = { temperature: 0, yieldEogToken: true };

await serve(async ({ gguf, threads, size, vocabSize, users }) => {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: threads,
    logLevel: 'error',
  });
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({
    contextSize: size,
    sequences: Math.max(1, ...users),
    batchSize: 512,
    threads: { ideal: threads, min: threads },
  });
  const sequences = Array.from({ length: context.totalSequences }, () => context.getSequence());
  const [sequence] = sequences;
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
    together(count, { prefill, decode }) {
      const texts = sequences.slice(0, count).map(async (own, user) => {
        await own.clearHistory();
        const seconds = [];
        for await (const _ of own.evaluate(promptOf(user, prefill, vocabSize), GREEDY)) {
          seconds.push(performance.now() / 1000);
          if (seconds.length === decode) break;
        }
        return seconds;
      });
      return Promise.all(texts);
    },
    close: () => llama.dispose(),
  };
});
