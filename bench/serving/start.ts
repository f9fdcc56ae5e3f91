/** From starting `llama-32k serve` with the embedded model to the first token of an answer. */
import { quantile } from '../../src/cli/measure/together.js';
import { ServedModel } from '../served.js';

const STARTS = 5;

export async function measureStart() {
  const ready: number[] = [];
  const first: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const start = performance.now();
    const served = await ServedModel.start([]);
    ready.push(performance.now() - start);
    await greet(served.url);
    first.push(performance.now() - start);
    await served.stop();
  }
  return {
    readyMs: quantile(ready, 0.5),
    firstTokenMs: quantile(first, 0.5),
    slowestMs: Math.max(...first),
  };
}

/** Resolves when the first words of the answer have come. */
async function greet(base: string): Promise<void> {
  const messages = [{ role: 'user', content: 'What are the opposites of loud and clean?' }];
  const answer = await fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages, stream: true }),
  });
  let text = '';
  for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (/"content":"[^"]/.test(text)) return;
  }
  throw new Error(`no words came: ${text}`);
}
