/**
 * The scores of every token after a text, and the likeliest as probabilities, from the exact
 * kernels in float64: what other implementations are compared with.
 */
import { loadModel, logprobsOf } from 'llama-32k';

const TEXT = '[INST]\nWhich of these is an animal: bells, hare, flute?\n[/INST]\n\nIt is';

const { model, tokenizer, close } = await loadModel(undefined, { kernels: 'exact' });
const sequence = model.createSequence();
try {
  const tokens = tokenizer.encode(TEXT, { bos: true });
  const rows = tokens.map((token, position) => ({ token, position, sequence }));
  const { data } = await model.forward(rows); // [1, V]: after the last token
  const likeliest = data.indexOf(Math.max(...data));
  const { topLogprobs } = logprobsOf(data, likeliest, 5);
  for (const { token, logprob } of topLogprobs) {
    const [piece] = tokenizer.pieces([token]);
    console.log(piece.padEnd(8), Math.exp(logprob).toFixed(4), data[token].toFixed(6));
  }
} finally {
  sequence.dispose();
  await close();
}
