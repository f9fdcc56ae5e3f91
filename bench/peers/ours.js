/** This project's WASM engine, in a process of its own. */
import { loadLlama } from '../../dist/load/model.js';
import { PAGE_POSITIONS } from '../../dist/model/sequence.js';
import { idsOnly } from '../../dist/text/ids-only.js';
import { createScheduler } from '../../dist/text/scheduler/scheduler.js';
import { argmax, promptOf, promptToken, serve } from './side.js';

await serve(async ({ checkpoint, weights, cache, threads, size, users }) => {
  const pages = Math.ceil(size / PAGE_POSITIONS);
  const { model } = await loadLlama(checkpoint, {
    kernels: 'wasm',
    weights,
    cache,
    threads,
    context: Math.max(1, ...users) * pages * PAGE_POSITIONS,
    wide: 'auto',
  });
  const sequence = model.createSequence();
  const { vocabSize } = model.config;
  const forward = async tokens => {
    const start = sequence.length;
    const { data } = await model.forward(
      tokens.map((token, i) => ({ token, position: start + i, sequence })),
    );
    return argmax(data);
  };
  return {
    about: model.engine.name,
    truncate: length => sequence.truncate(length),
    prefill: count =>
      forward(Array.from({ length: count }, (_, i) => promptToken(sequence.length + i, vocabSize))),
    async decode(first, count) {
      let token = first;
      for (let i = 0; i < count; i++) token = await forward([token]);
    },
    /** Without looking up: made-up texts repeat themselves as no text does. */
    together(count, { prefill, decode }) {
      const scheduler = createScheduler(model, idsOnly(model.config), { lookup: false });
      const options = { maxNewTokens: decode, temperature: 0, stopTokenIds: [] };
      const texts = Array.from({ length: count }, async (_, user) => {
        const prompt = promptOf(user, prefill, vocabSize);
        const steps = scheduler.generate(prompt, { ...options, user: `${user}` });
        const seconds = [];
        for await (const _step of steps) seconds.push(performance.now() / 1000);
        return seconds;
      });
      return Promise.all(texts);
    },
    close: () => model.close(),
  };
});
