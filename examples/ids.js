/**
 * Token ids in, token ids out, without a tokenizer: greedy decoding by hand, one forward pass for
 * the prompt and one for each token after it.
 */
import { EMBEDDED_MODEL, loadLlama } from 'llama-32k';

const PROMPT = [1, 40, 50, 60];
const NEW_TOKENS = 5;

const { model } = await loadLlama(EMBEDDED_MODEL);
const sequence = model.createSequence();
try {
  const ids = [];
  let tokens = PROMPT;
  while (ids.length < NEW_TOKENS) {
    const start = sequence.length;
    const rows = tokens.map((token, i) => ({ token, position: start + i, sequence }));
    const { data } = await model.forward(rows); // [1, V]: after the last row
    const likeliest = data.indexOf(Math.max(...data));
    ids.push(likeliest);
    tokens = [likeliest];
  }
  console.log(ids.join(' '));
} finally {
  sequence.dispose();
  await model.close();
}
