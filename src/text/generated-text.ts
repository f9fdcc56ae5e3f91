/** A text while it is written: step by step, as a stream, or all of it at once. */
import type { Generation } from './generation.js';
import type { GenerationStep } from './result.js';

type Steps = AsyncGenerator<GenerationStep, void, undefined>;

/**
 * The steps of a text, which is computed while they are read. It is read once: by a loop, by `text`
 * or as a stream.
 */
export interface GeneratedText extends AsyncGenerator<GenerationStep, void, undefined> {
  /** All that is still to be read, when it is written. */
  text(): Promise<string>;
  /**
   * The same as a stream of texts, none of which is empty. It is written as far as somebody reads;
   * cancelling it ends the text, and frees its memory.
   */
  toReadableStream(): ReadableStream<string>;
}

/**
 * `steps` of `generation` as what people are given. If its signal is aborted, and option `onAbort`
 * says so, that is its end and no error.
 *
 * @param ready steps of it that were computed and not given yet
 */
export function generatedText(
  generation: Generation,
  steps: Steps,
  ready: GenerationStep[] = [],
): GeneratedText {
  const all = withEnd(generation, steps, ready);
  return Object.assign(all, {
    async text() {
      let text = '';
      for await (const step of all) text += step.text;
      return text;
    },
    toReadableStream: () => streamOf(all),
  });
}

async function* withEnd(generation: Generation, steps: Steps, ready: GenerationStep[]): Steps {
  try {
    yield* steps;
  } catch (error) {
    if (!generation.takesAsEnd(error)) throw error;
    yield* ready.splice(0);
    if (!generation.hasEnded) yield generation.endAborted();
  }
}

function streamOf(steps: Steps): ReadableStream<string> {
  return new ReadableStream<string>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await steps.next();
          if (done) return controller.close();
          if (value.text !== '') return controller.enqueue(value.text);
        }
      },
      async cancel() {
        await steps.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
