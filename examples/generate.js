/**
 * An instruction, answered token by token by the model that comes with the package. With a path or
 * a prompt of your own: `node examples/generate.js MODEL 'What is the opposite of loud?'`.
 */
import { generate, loadModel, openChatFormat } from 'llama-32k';

const [path, instruction = 'What are the opposites of loud and clean?'] = process.argv.slice(2);

const loaded = await loadModel(path);
const { model, tokenizer, close } = loaded;
try {
  const format = await openChatFormat(loaded); // The model's own, or else the model card's.
  const prompt = format.encode([{ role: 'user', content: instruction }]);
  const options = { maxNewTokens: 100, ...format.ends(model.config) };
  for await (const { text } of generate(model, tokenizer, prompt, options)) {
    process.stdout.write(text);
  }
  console.log();
} finally {
  await close();
}
