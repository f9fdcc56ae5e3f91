/** The choices of an answer, put together from the steps of their texts. */
import { type GenerationResult, type GenerationStep, hasToken } from '../../text/result.js';
import type { Call } from '../observe/call.js';
import type { Metrics } from '../observe/metrics.js';
import { usageOf } from './usage.js';
import type { TextEvent } from './write.js';

/** One choice as far as it is written. */
export interface WrittenText {
  readonly steps: readonly GenerationStep[];
  readonly result: GenerationResult | undefined;
}

/** OpenAI has one word for a stop token and a stop string. */
export const finishReasonOf = ({ finishReason }: GenerationResult): 'stop' | 'length' =>
  finishReason === 'length' ? 'length' : 'stop';

/** Keeps the steps of all choices, and tells metrics and log what they cost. */
export class WrittenTexts {
  readonly #texts: { steps: GenerationStep[]; result: GenerationResult | undefined }[];
  readonly #lastAt: (number | undefined)[];
  readonly #call: Call;
  readonly #metrics: Metrics;
  readonly #choices: number;

  /** @param choices how many texts there are of each prompt */
  constructor(count: number, choices: number, call: Call, metrics: Metrics) {
    this.#texts = Array.from({ length: count }, () => ({ steps: [], result: undefined }));
    this.#lastAt = this.#texts.map(() => undefined);
    this.#choices = choices;
    this.#call = call;
    this.#metrics = metrics;
  }

  get texts(): readonly WrittenText[] {
    return this.#texts;
  }

  get isComplete(): boolean {
    return this.#texts.every(({ result }) => result !== undefined);
  }

  /** Of those that have ended: of all, at the end. */
  get results(): GenerationResult[] {
    return this.#texts.map(({ result }) => result).filter(result => result !== undefined);
  }

  /** Takes note of a step, and of its text's end. */
  add(choice: number, step: GenerationStep): void {
    const text = this.#texts[choice];
    text.steps.push(step);
    if (hasToken(step)) this.#observeStep(choice);
    if (step.result === undefined) return;
    text.result = step.result;
    this.#observeEnd(choice, step.result);
  }

  /** All events to the end. */
  async collect(events: AsyncIterable<TextEvent>): Promise<void> {
    for await (const event of events) if (event.kind === 'step') this.add(event.choice, event.step);
  }

  #observeStep(choice: number): void {
    const now = performance.now();
    const last = this.#lastAt[choice];
    const seconds = (now - (last ?? this.#call.startedAt)) / 1000;
    if (last === undefined) this.#metrics.timeToFirstToken.observe(seconds);
    else this.#metrics.interTokenLatency.observe(seconds);
    this.#lastAt[choice] = now;
    this.#metrics.generationTokens.inc();
  }

  #observeEnd(choice: number, { promptTokens, lookup, timings }: GenerationResult): void {
    if (choice % this.#choices === 0) this.#metrics.promptTokens.inc(promptTokens);
    this.#metrics.proposedTokens.inc(lookup.proposed);
    this.#metrics.acceptedTokens.inc(lookup.accepted);
    this.#metrics.queueTime.observe(timings.queueSeconds);
    this.#metrics.prefillTime.observe(timings.prefillSeconds);
    this.#metrics.decodeTime.observe(timings.decodeSeconds);
    const usage = usageOf(this.results, this.#choices);
    this.#call.note({
      promptTokens: usage.prompt_tokens,
      cachedTokens: usage.prompt_tokens_details.cached_tokens,
      completionTokens: usage.completion_tokens,
      finishReasons: this.results.map(finishReasonOf),
    });
  }
}
