/**
 * An answer as JSON of a schema: the model cannot write anything else. With a path or a prompt of
 * your own: `node examples/json.js MODEL 'Is the sun a star? Give yes or no, and why.'`.
 */
import { complete, jsonConstraint, loadModel, openChatFormat } from 'llama-32k';

const SCHEMA = {
  type: 'object',
  properties: {
    answer: { type: 'string', maxLength: 60 },
    confidence: { enum: ['low', 'middle', 'high'] },
    tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]{1,8}$' }, maxItems: 2 },
  },
  required: ['answer', 'confidence'],
};

const [path, instruction = 'What are the opposites of loud and clean?'] = process.argv.slice(2);

const loaded = await loadModel(path);
const { model, tokenizer, close } = loaded;
try {
  const format = await openChatFormat(loaded);
  const prompt = format.encode([{ role: 'user', content: instruction }]);
  const { stopTokenIds } = format.ends(model.config);
  const { text } = await complete(model, tokenizer, prompt, {
    maxNewTokens: 200,
    stopTokenIds,
    constraint: jsonConstraint(tokenizer, SCHEMA),
  });
  const { answer, confidence, tags = [] } = JSON.parse(text);
  console.log([answer, confidence, ...tags].join(' | '));
} finally {
  await close();
}
