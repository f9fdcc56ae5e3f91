/**
 * An instruction, answered token by token by the model that comes with the package. With a path or
 * a prompt of your own: `node examples/generate.js MODEL 'What is the opposite of loud?'`.
 */
import { CARD_STOP_STRINGS, formatPrompt, generate, loadModel } from 'llama-32k';

const [path, instruction = 'What are the opposites of loud and clean?'] = process.argv.slice(2);

const { model, tokenizer, close } = await loadModel(path);
try {
  const prompt = formatPrompt([{ role: 'user', content: instruction }]);
  const options = { maxNewTokens: 100, stop: CARD_STOP_STRINGS };
  for await (const { text } of generate(model, tokenizer, prompt, options)) {
    process.stdout.write(text);
  }
  console.log();
} finally {
  await close();
}
