/**
 * A long prompt, whose progress is shown, cancelled by a signal. The model stays usable. A signal
 * of `AbortSignal.timeout(ms)` is a deadline.
 */
import { complete, loadModel } from 'llama-32k';

const { model, tokenizer, close } = await loadModel();
const controller = new AbortController();
try {
  await complete(model, tokenizer, 'the old miller '.repeat(2000), {
    signal: controller.signal,
    onProgress({ done, total }) {
      if (done < total / 4) return;
      console.log(`${Math.round((100 * done) / total)} % of the prompt are read`);
      controller.abort(new Error('that is enough'));
    },
  });
} catch (error) {
  if (!controller.signal.aborted) throw error;
  console.log(`cancelled: ${controller.signal.reason.message}`);
}
const { tokens } = await complete(model, tokenizer, 'the old miller', { maxNewTokens: 3 });
console.log(`and then ${tokens.length} tokens more`);
await close();
