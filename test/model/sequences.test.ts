/**
 * The life of sequences, in both engines: whatever is done to them and whenever, each text gets the
 * logits that it would get alone, what ends one of them ends no other, and all memory comes back.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Llama } from '../../src/model/llama.js';
import type { Sequence } from '../../src/model/sequence.js';
import { recordTrace } from '../../src/model/trace.js';
import { continuing } from '../support/golden.js';
import { CONTEXT, loadTiny, NAN_TOKEN } from '../support/tiny-model.js';

const V = 60;

const tokensOf = (length: number, seed = 1) =>
  Array.from({ length }, (_, i) => 14 + ((i * 7 + seed * 5) % 40));

describe.each(['exact', 'wasm'] as const)('%s', name => {
  let model: Llama;
  let other: Llama;
  beforeAll(async () => {
    model = await loadTiny(name);
    other = await loadTiny(name);
  });
  afterAll(() => Promise.all([model.close(), other.close()]));

  /** Logits after the last of `tokens`, in a sequence of their own. */
  async function alone(tokens: readonly number[]): Promise<number[]> {
    const sequence = model.createSequence();
    const { data } = await model.forward(continuing(sequence, tokens));
    sequence.dispose();
    return [...data];
  }

  /** Fails unless all the room that there is can be had. */
  async function expectNothingHeld(): Promise<void> {
    const sequence = model.createSequence();
    await model.forward(continuing(sequence, tokensOf(CONTEXT)), { logitsFor: [] });
    sequence.dispose();
  }

  describe('a batch', () => {
    it('goes on where one has logits that are not finite, and that one is as it was', async () => {
      const [a, b] = [model.createSequence(), model.createSequence()];
      await model.forward([...continuing(a, [20, 21]), ...continuing(b, [30])]);
      const rows = [...continuing(a, [22, NAN_TOKEN]), ...continuing(b, [31, 32])];
      const { logits, failures } = await model.forwardBatch(rows, { logitsFor: [1, 3] });
      expect([...failures.keys()]).toEqual([a]);
      expect(failures.get(a)).toMatchObject({
        code: 'NOT_FINITE',
        message: expect.stringContaining('position 3'),
      });
      expect([...logits.data.subarray(0, V)]).toEqual(new Array(V).fill(NaN));
      expect([...logits.data.subarray(V)]).toEqual(await alone([30, 31, 32]));
      expect([a.length, b.length]).toEqual([2, 3]);
      const { data } = await model.forward(continuing(a, [22]));
      expect([...data]).toEqual(await alone([20, 21, 22]));
      for (const sequence of [a, b]) sequence.dispose();
    });

    it('goes on where one is disposed in the middle, and its memory comes back', async () => {
      const [a, b] = [model.createSequence(), model.createSequence()];
      const tokens = tokensOf(100);
      const pass = model.forwardBatch([...continuing(a, tokens), ...continuing(b, tokens)], {
        logitsFor: [99, 199],
        onLayer: () => a.dispose(),
      });
      a.dispose();
      const { logits, failures } = await pass;
      expect([...failures].map(([sequence, { code }]) => [sequence === a, code])).toEqual([
        [true, 'DISPOSED'],
      ]);
      expect(logits.data.subarray(0, V).every(Number.isNaN)).toBe(true);
      expect([...logits.data.subarray(V)]).toEqual(await alone(tokens));
      b.dispose();
      await expectNothingHeld();
    });

    it('gives and traces a row as often as it is asked for, and that is often', async () => {
      const sequence = model.createSequence();
      const logitsFor = [2, ...new Array(40).fill(0), 2, 1];
      const { trace, tensors } = recordTrace();
      const pass = model.forward(continuing(sequence, [20, 21, 22]), { logitsFor, trace });
      const { shape, data } = await pass;
      expect(shape).toEqual([logitsFor.length, V]);
      for (const [i, row] of logitsFor.entries())
        expect([...data.subarray(i * V, (i + 1) * V)]).toEqual(
          await alone([20, 21, 22].slice(0, row + 1)),
        );
      expect(tensors.get('lm_head')).toEqual({ shape, data });
      expect(tensors.get('model.embed_tokens')?.shape).toEqual([3, 18]);
      expect(tensors.get('model.norm')?.shape).toEqual([logitsFor.length, 18]);
      sequence.dispose();
    });

    it('is traced with a row for each, also of what failed', async () => {
      const [a, b] = [model.createSequence(), model.createSequence()];
      const { trace, tensors } = recordTrace();
      const rows = [...continuing(a, tokensOf(40)), ...continuing(b, [20, 21])];
      const pass = model.forwardBatch(rows, { logitsFor: [41, 39], trace });
      a.dispose();
      expect([...(await pass).failures.keys()]).toEqual([a]);
      expect(tensors.get('model.embed_tokens')?.shape).toEqual([42, 18]);
      expect(tensors.get('model.layers.1.self_attn.probabilities')?.shape.slice(0, 2)).toEqual([
        42, 3,
      ]);
      const { shape, data } = tensors.get('lm_head')!;
      expect(shape).toEqual([2, V]);
      expect([...data.subarray(0, V)]).toEqual(await alone([20, 21]));
      b.dispose();
      await expectNothingHeld();
    });

    it('of forward is all or nothing: one that fails keeps the others back', async () => {
      const [a, b] = [model.createSequence(), model.createSequence()];
      const rows = [...continuing(a, [20, 21]), ...continuing(b, [NAN_TOKEN])];
      await expect(model.forward(rows, { logitsFor: [1, 2] })).rejects.toMatchObject({
        code: 'NOT_FINITE',
      });
      expect([a.length, b.length]).toEqual([0, 0]);
      for (const sequence of [a, b]) sequence.dispose();
      await expectNothingHeld();
    });

    it('all of whose sequences are disposed ends early, with nothing but failures', async () => {
      const sequence = model.createSequence();
      const rows = continuing(sequence, tokensOf(600));
      let layers = 0;
      const pass = model.forwardBatch(rows, { onLayer: () => layers++ });
      sequence.dispose();
      const { failures } = await pass;
      expect(failures.get(sequence)).toMatchObject({ code: 'DISPOSED' });
      expect(layers).toBeLessThan(2);
      const gone = model.createSequence();
      const single = model.forward(continuing(gone, [20]));
      gone.dispose();
      await expect(single).rejects.toMatchObject({ code: 'DISPOSED' });
      await expectNothingHeld();
    });
  });

  it.runIf(name === 'wasm')(
    'disposed in a pass: nobody gets its pages before the end',
    async () => {
      const [a, b] = [model.createSequence(), model.createSequence()];
      const pass = model.forwardBatch(continuing(a, tokensOf(CONTEXT)), { logitsFor: [] });
      a.dispose();
      await expect(model.forward(continuing(b, [20]))).rejects.toMatchObject({
        code: 'OUT_OF_MEMORY',
      });
      await pass;
      await expect(model.forward(continuing(b, [20]))).resolves.toMatchObject({ shape: [1, V] });
      b.dispose();
    },
  );

  it('what a fork holds stays, whatever its origin writes, and where', async () => {
    const origin = model.createSequence();
    await model.forward(continuing(origin, tokensOf(100)));
    const forks = [origin.fork()];
    for (const length of [100, 70, 90]) {
      origin.truncate(length);
      await model.forward(continuing(origin, tokensOf(30, length)));
      origin.truncate(Math.min(length, 95));
      await model.forward(continuing(origin, tokensOf(20, length + 1)));
      forks.push(forks[0].fork());
    }
    for (const fork of forks) {
      const { data } = await model.forward(continuing(fork, [20]));
      expect([...data]).toEqual(await alone([...tokensOf(100), 20]));
      fork.dispose();
    }
    origin.dispose();
    await expectNothingHeld();
  });

  describe('refused by name, before anything is touched', () => {
    it('a sequence of another model, of other kernels, or of nobody', async () => {
      const [own, foreign] = [model.createSequence(), other.createSequence()];
      const nobody = { length: 0 } as Sequence;
      await other.forward(continuing(foreign, tokensOf(70)));
      for (const sequence of [foreign, foreign.fork(), nobody]) {
        const rows = [...continuing(own, [20]), ...continuing(sequence, [20])];
        await expect(model.forward(rows)).rejects.toMatchObject({
          code: 'BAD_INPUT',
          message: expect.stringContaining('another model'),
        });
      }
      await model.forward(continuing(own, [20])); // it is free
      const { data } = await other.forward(continuing(foreign, [20]));
      expect([...data]).toEqual(await alone([...tokensOf(70), 20]));
      for (const sequence of [own, foreign]) sequence.dispose();
    });

    it('to continue with a sequence of another model, with too few, or within a page', async () => {
      const [a, b, foreign] = [model, model, other].map(each => each.createSequence());
      await model.forward([...continuing(a, tokensOf(70)), ...continuing(b, tokensOf(100))]);
      const refused = (message: string) =>
        expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(message) });
      expect(() => a.append(foreign, 0)).toThrow(refused('of the same model'));
      expect(() => a.append(b, 100)).toThrow(refused('positions 70 to 70 are no whole pages'));
      a.truncate(64);
      for (const end of [63, 64.5, 101]) expect(() => a.append(b, end)).toThrow(refused(`${end}`));
      a.append(b, 90);
      const { data } = await model.forward(continuing(a, [20]));
      expect([...data]).toEqual(await alone([...tokensOf(90), 20]));
      b.dispose();
      expect(() => a.append(b, 90)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      for (const sequence of [a, foreign]) sequence.dispose();
      await expectNothingHeld();
    });

    it('to truncate in a pass, to be in two of them, to go on after dispose', async () => {
      const sequence = model.createSequence();
      const pass = model.forward(continuing(sequence, tokensOf(70)));
      expect(() => sequence.truncate(0)).toThrow('a forward pass is computing this sequence');
      await expect(model.forward(continuing(sequence, [1]))).rejects.toMatchObject({
        code: 'BAD_INPUT',
      });
      await pass;
      sequence.truncate(3);
      expect(sequence.length).toBe(3);
      sequence.dispose();
      sequence.dispose();
      for (const use of [() => sequence.truncate(0), () => sequence.fork()])
        expect(use).toThrow('this sequence was disposed');
      await expect(model.forward(continuing(sequence, [1]))).rejects.toMatchObject({
        code: 'DISPOSED',
      });
    });

    it('options that there are not, and values that they cannot have', async () => {
      const sequence = model.createSequence();
      const forward = (options: object) => model.forward(continuing(sequence, [20]), options);
      for (const [options, option] of [
        [{ bogus: 1 }, 'bogus'],
        [{ logitsFor: 0 }, 'logitsFor'],
        [{ signal: {} }, 'signal'],
        [{ onLayer: 5 }, 'onLayer'],
      ] as const) {
        await expect(forward(options)).rejects.toMatchObject({ code: 'BAD_OPTION', option });
      }
      await expect(forward({})).resolves.toMatchObject({ shape: [1, V] });
      sequence.dispose();
    });

    it('anything of a closed model', async () => {
      const closed = await loadTiny(name);
      const [idle, busy] = [closed.createSequence(), closed.createSequence()];
      const pass = closed.forward(continuing(busy, tokensOf(600)));
      const ended = expect(pass).rejects.toMatchObject({ code: 'DISPOSED' });
      await closed.close();
      await ended;
      expect(() => closed.createSequence()).toThrow('this model was closed');
      await expect(closed.forward(continuing(idle, [20]))).rejects.toMatchObject({
        code: 'DISPOSED',
      });
      for (const sequence of [idle, busy]) sequence.dispose();
    });
  });

  it('what onLayer throws rejects the promise, and the sequence is as it was', async () => {
    const sequence = model.createSequence();
    const thrown = new Error('from the callback');
    const onLayer = () => {
      throw thrown;
    };
    for (const length of [1, 600]) {
      const pass = model.forward(continuing(sequence, tokensOf(length)), { onLayer });
      await expect(pass).rejects.toBe(thrown);
      expect(sequence.length).toBe(0);
    }
    sequence.dispose();
    await expectNothingHeld();
  });

  it('a fork goes its own way, also from one that is being computed', async () => {
    const origin = model.createSequence();
    await model.forward(continuing(origin, tokensOf(70)));
    const pass = model.forward(continuing(origin, [20, 21]));
    const fork = origin.fork();
    expect(fork.length).toBe(70);
    const onFork = await model.forward(continuing(fork, [30]));
    const onOrigin = await pass;
    expect([...onFork.data]).toEqual(await alone([...tokensOf(70), 30]));
    expect([...onOrigin.data]).toEqual(await alone([...tokensOf(70), 20, 21]));
    const next = await model.forward(continuing(origin, [22]));
    expect([...next.data]).toEqual(await alone([...tokensOf(70), 20, 21, 22]));
    for (const sequence of [origin, fork]) sequence.dispose();
    await expectNothingHeld();
  });
});
