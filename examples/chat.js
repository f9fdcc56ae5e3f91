/**
 * A conversation of two turns. The sequence keeps what was computed, so that the second turn
 * computes only what is new; whether there is one changes no token.
 */
import { CARD_STOP_STRINGS, complete, formatPrompt, loadModel, TokenSequence } from 'llama-32k';

const QUESTIONS = ['My name is Otto Yeldale.', 'What is my name?'];

const { model, tokenizer, close } = await loadModel();
const sequence = new TokenSequence(model);
try {
  /** @type {import('llama-32k').Message[]} */
  const messages = [];
  for (const content of QUESTIONS) {
    messages.push({ role: 'user', content });
    const options = { sequence, maxNewTokens: 100, stop: CARD_STOP_STRINGS };
    const held = sequence.tokens.length;
    const reply = await complete(model, tokenizer, formatPrompt(messages), options);
    messages.push({ role: 'assistant', content: reply.text });
    console.log(`> ${content}\n${reply.text}`);
    console.log(`  (${held} tokens were held of ${reply.promptTokens} in the prompt)`);
  }
} finally {
  sequence.dispose();
  await close();
}
