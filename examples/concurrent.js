/**
 * Several instructions answered at once, in shared passes: sooner than one after the other, and
 * each gets the reply that it gets alone.
 */
import { CARD_STOP_STRINGS, createScheduler, formatPrompt, loadModel } from 'llama-32k';

const INSTRUCTIONS = [
  'What are the opposites of loud and clean?',
  'Which of these is an animal: bells, hare, flute?',
  'My name is Otto Yeldale.',
];

const { model, tokenizer, close } = await loadModel();
const scheduler = createScheduler(model, tokenizer);

/** @param {string} content */
async function answer(content) {
  const prompt = formatPrompt([{ role: 'user', content }]);
  let reply = '';
  const options = { maxNewTokens: 100, stop: CARD_STOP_STRINGS };
  for await (const { text } of scheduler.generate(prompt, options)) reply += text;
  return reply;
}

try {
  const replies = await Promise.all(INSTRUCTIONS.map(answer));
  console.log(replies.join('\n'));
} finally {
  await close();
}
