/**
 * Sequences in any order: passes begun and not awaited, forks, going back and disposing in between.
 * Every text has the logits that it has alone, in another model, and at the end nothing is held.
 *
 * Steps follow each other without a pause, so that what the scene knows of a pass is what its
 * sequences know: a pass ends, and the scene hears of it, within one turn of the event loop.
 */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../src/base/errors.js';
import type { Llama } from '../../src/model/llama.js';
import type { Row, Sequence } from '../../src/model/sequence.js';
import { continuing } from '../support/golden.js';
import { CONTEXT, loadTiny, NAN_TOKEN } from '../support/tiny-model.js';

const slot = fc.nat(3);
const step = fc.oneof(
  fc.record({
    kind: fc.constant('pass' as const),
    slots: fc.uniqueArray(slot, { minLength: 1, maxLength: 3 }),
    count: fc.integer({ min: 1, max: 150 }),
    seed: fc.nat(1000),
  }),
  fc.constant({ kind: 'turn' as const }),
  fc.constant({ kind: 'settle' as const }),
  fc.record({
    kind: fc.constant('truncate' as const),
    slot,
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('fork' as const), slot, to: slot }),
  fc.record({ kind: fc.constant('dispose' as const), slot }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A sequence, and what must be in it. */
interface Text {
  readonly sequence: Sequence;
  tokens: readonly number[];
  inPass: boolean;
  disposed: boolean;
}

class Scene {
  readonly texts: Text[];
  readonly #model: Llama;
  readonly #judge: Llama;
  readonly #passes: Promise<void>[] = [];

  constructor(model: Llama, judge: Llama) {
    this.#model = model;
    this.#judge = judge;
    this.texts = Array.from({ length: 4 }, () => this.#text(model.createSequence(), []));
  }

  /** A promise of a step that takes time. */
  take(step: Step): Promise<void> | undefined {
    if (step.kind === 'turn') return turn();
    if (step.kind === 'settle') return this.settle();
    if (step.kind === 'pass') this.#pass(step.slots, step.count, step.seed);
    else if (step.kind === 'truncate') this.#truncate(this.texts[step.slot], step.share);
    else if (step.kind === 'fork') this.#fork(step.slot, step.to);
    else this.#dispose(this.texts[step.slot]);
    return undefined;
  }

  /** Nothing of it is left in the model, whatever failed. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#passes);
    for (const { sequence } of this.texts) sequence.dispose();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#passes);
    this.#passes.length = 0;
  }

  #text(sequence: Sequence, tokens: readonly number[]): Text {
    return { sequence, tokens, inPass: false, disposed: false };
  }

  #pass(slots: readonly number[], count: number, seed: number): void {
    const texts = slots
      .map(slot => this.texts[slot])
      .filter(text => !text.inPass && !text.disposed);
    if (texts.length === 0) return;
    // one text in eight has a token in it that no sequence survives
    const added = texts.map((_, t) =>
      Array.from({ length: count }, (_, i) =>
        (seed + t) % 8 === 0 && i === count >> 1 ? NAN_TOKEN : 14 + ((seed + t * 11 + i * 7) % 40),
      ),
    );
    const rows = texts.flatMap(({ sequence }, t) => continuing(sequence, added[t]));
    const logitsFor = texts.map((_, t) => (t + 1) * count - 1);
    for (const text of texts) text.inPass = true;
    const pass = this.#compute(texts, added, rows, logitsFor);
    pass.catch(() => {}); // told when it is settled
    this.#passes.push(pass);
  }

  async #compute(
    texts: readonly Text[],
    added: readonly (readonly number[])[],
    rows: readonly Row[],
    logitsFor: readonly number[],
  ): Promise<void> {
    const { logits, failures } = await this.#model.forwardBatch(rows, { logitsFor });
    const ends = texts.map((text, t) => ({
      own: logits.data.subarray(t * logits.shape[1], (t + 1) * logits.shape[1]),
      tokens: this.#endPass(text, added[t], failures.get(text.sequence)?.code),
    }));
    for (const { own, tokens } of ends) {
      if (tokens) expect([...own]).toEqual(await this.#alone(tokens));
      else expect(own.every(Number.isNaN)).toBe(true);
    }
  }

  /** All that is in the text now, unless the pass failed for it. */
  #endPass(text: Text, added: readonly number[], code: LlamaErrorCode | undefined) {
    text.inPass = false;
    if (code !== 'OUT_OF_MEMORY') expect(code).toBe(expectedFailure(text, added));
    if (code === undefined) text.tokens = [...text.tokens, ...added];
    expect(text.sequence.length).toBe(text.disposed ? 0 : text.tokens.length);
    return code === undefined ? text.tokens : undefined;
  }

  async #alone(tokens: readonly number[]): Promise<number[]> {
    const sequence = this.#judge.createSequence();
    const { data } = await this.#judge.forward(continuing(sequence, tokens));
    sequence.dispose();
    return [...data];
  }

  #truncate(text: Text, share: number): void {
    const length = Math.floor(text.tokens.length * share);
    const truncate = () => text.sequence.truncate(length);
    if (text.disposed || text.inPass) expect(truncate).toThrow();
    else {
      truncate();
      text.tokens = text.tokens.slice(0, length);
    }
  }

  #fork(from: number, to: number): void {
    const origin = this.texts[from];
    if (origin.disposed) expect(() => origin.sequence.fork()).toThrow();
    else {
      const fork = origin.sequence.fork();
      this.#dispose(this.texts[to]);
      this.texts[to] = this.#text(fork, origin.tokens);
    }
  }

  #dispose(text: Text): void {
    text.sequence.dispose();
    text.disposed = true;
  }
}

function expectedFailure({ disposed }: Text, added: readonly number[]): LlamaErrorCode | undefined {
  if (disposed) return 'DISPOSED';
  return added.includes(NAN_TOKEN) ? 'NOT_FINITE' : undefined;
}

describe.each(['exact', 'wasm'] as const)('%s', name => {
  let model: Llama;
  let judge: Llama;
  beforeAll(async () => {
    model = await loadTiny(name);
    judge = await loadTiny(name, 4 * CONTEXT);
  });
  afterAll(() => Promise.all([model.close(), judge.close()]));

  it('any 30 steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 30 }), async steps => {
        const scene = new Scene(model, judge);
        try {
          for (const each of steps) {
            const takingTime = scene.take(each);
            if (takingTime) await takingTime;
          }
          await scene.settle();
        } finally {
          await scene.end();
        }
        const all = model.createSequence();
        const rows = continuing(all, new Array(CONTEXT).fill(20));
        await model.forward(rows, { logitsFor: [] });
        all.dispose();
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
