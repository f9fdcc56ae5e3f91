/** This project's WASM engine, in a process of its own. */
import { loadLlama } from '../../dist/load/model.js';
import { argmax, promptToken, serve } from './side.js';

await serve(async ({ checkpoint, weights, cache, threads, size }) => {
  const { model } = await loadLlama(checkpoint, {
    kernels: 'wasm',
    weights,
    cache,
    threads,
    context: size,
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
    close: () => model.close(),
  };
});
