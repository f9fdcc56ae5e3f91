/**
 * Many texts at once: each says what it says alone, whoever comes, goes and fails beside it; who is
 * computed when; and what ends one of them ends no other.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import { openModelDirectory } from '../../../src/load/model-files.js';
import { Llama } from '../../../src/model/llama.js';
import { generate } from '../../../src/text/generate.js';
import type { GenerationStep } from '../../../src/text/result.js';
import { createScheduler, type Scheduler } from '../../../src/text/scheduler/scheduler.js';
import { TokenSequence } from '../../../src/text/token-sequence.js';
import { BOS, babbling, byteTokenizer, type FakeModel } from '../../support/fake-model.js';
import { goldenPath, openGolden } from '../../support/golden.js';
import { loadTiny, NAN_TOKEN } from '../../support/tiny-model.js';
import { table, watch } from './watch.js';

/** A tokenizer that knows ids only. */
const idTokenizer = (vocabSize: number) => ({
  vocabSize,
  encode: () => [],
  streamDecoder: () => ({ push: (id: number) => ` ${id}`, flush: () => '' }),
});

const turn = () => new Promise<void>(resolve => setImmediate(resolve));
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

const SHORT = { maxNewTokens: 4, badWordsIds: [[NAN_TOKEN]] };

type Steps = AsyncGenerator<GenerationStep, void, undefined>;

/** What a text has said, without how it was computed: the time, and what was tried. */
async function collect(steps: Steps): Promise<object[]> {
  const all: object[] = [];
  for await (const step of steps) all.push(timeless(step));
  return all;
}

function timeless({ result, ...step }: GenerationStep): object {
  if (result === undefined) return step;
  const { timings, lookup, ...rest } = result;
  return { ...step, result: rest };
}

/** `model`, each of whose passes takes a while. */
function slow(model: FakeModel, before: number, after: number): FakeModel {
  const forward = model.forward.bind(model);
  model.forward = async (...args) => {
    await turns(before);
    const result = await forward(...args);
    await turns(after);
    return result;
  };
  return model;
}

/** `model`, whose passes begin when they are let go. */
function held(model: FakeModel) {
  const forward = model.forward.bind(model);
  const passes: { signal: AbortSignal | undefined; go: () => void }[] = [];
  model.forward = async (rows, options) => {
    await new Promise<void>(go => passes.push({ signal: options.signal, go }));
    return forward(rows, options);
  };
  return passes;
}

const idsOf = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 3 + ((seed * 13 + i * 37) % 250));

describe('each text says what it says alone', () => {
  const plan = fc.record({
    length: fc.integer({ min: 1, max: 20 }),
    seed: fc.nat(100),
    maxNewTokens: fc.integer({ min: 1, max: 8 }),
    chunkSize: fc.integer({ min: 1, max: 9 }),
    arrival: fc.nat(12),
    /** Turns of the event loop that its consumer takes for a step. */
    pause: fc.nat(3),
    end: fc.oneof(
      fc.constant('late' as const),
      fc.record({ leaveAfter: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ abortAt: fc.nat(25) }),
    ),
  });
  type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

  const textOf = ({ length, seed, maxNewTokens, chunkSize }: Plan) => ({
    prompt: idsOf(length, seed),
    options: { maxNewTokens, chunkSize, seed, temperature: 1, logprobs: 2 },
  });

  /** What it said, and what ended it. */
  async function follow(scheduler: Scheduler, plan: Plan) {
    const { prompt, options } = textOf(plan);
    const aborter = new AbortController();
    const said: object[] = [];
    await turns(plan.arrival);
    if (typeof plan.end === 'object' && 'abortAt' in plan.end)
      void turns(plan.end.abortAt).then(() => aborter.abort(plan));
    const most = typeof plan.end === 'object' && 'leaveAfter' in plan.end && plan.end.leaveAfter;
    try {
      const steps = scheduler.generate(prompt, { ...options, signal: aborter.signal });
      for await (const step of steps) {
        said.push(timeless(step));
        if (said.length === most) return { said, error: undefined, isCut: true };
        await turns(plan.pause);
      }
      return { said, error: undefined, isCut: false };
    } catch (error) {
      return { said, error, isCut: true };
    }
  }

  it.each([
    [0, 0],
    [2, 0],
    [0, 2],
  ])('whoever comes, goes, and is slow (passes of %d + %d turns)', async (before, after) => {
    const property = fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 16 }),
      async (plans, maxRows) => {
        const model = slow(babbling(), before, after);
        const scheduler = createScheduler(model, byteTokenizer, { maxRows });
        const outcomes = await Promise.all(plans.map(plan => follow(scheduler, plan)));
        for (const [i, { said, error, isCut }] of outcomes.entries()) {
          const { prompt, options } = textOf(plans[i]);
          const alone = await collect(generate(babbling(), byteTokenizer, prompt, options));
          expect(said).toEqual(isCut ? alone.slice(0, said.length) : alone);
          if (error !== undefined) expect(error).toBe(plans[i]); // the reason of its own signal
        }
        expect(Math.max(0, ...model.rowsPerPass)).toBeLessThanOrEqual(maxRows);
        await turns(before + after + 1);
        expect(model.sequences.every(({ disposed, length }) => disposed || length === 0)).toBe(
          true,
        );
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it.each(['exact', 'wasm'] as const)('golden/gqa, to the bit: %s', async kernels => {
    const model = await openGqa(kernels);
    const tokenizer = idTokenizer(model.config.vocabSize);
    const scheduler = createScheduler(model, tokenizer, { maxRows: 17 });
    const texts = [3, 40, 1, 25, 7, 70].map((length, i) => ({
      prompt: [BOS, ...idsOf(length, i)],
      options: { maxNewTokens: 12 - i, temperature: i / 4, seed: i, logprobs: 3, stopTokenIds: [] },
    }));
    const together = await Promise.all(
      texts.map(async ({ prompt, options }, i) => {
        await turns(2 * i);
        return collect(scheduler.generate(prompt, options));
      }),
    );
    for (const [i, { prompt, options }] of texts.entries()) {
      expect(together[i]).toEqual(await collect(generate(model, tokenizer, prompt, options)));
    }
    await model.close();
  });
});

async function openGqa(kernels: 'exact' | 'wasm'): Promise<Llama> {
  if (kernels === 'exact') return openGolden('gqa', 'f32');
  const { config, checkpoint } = await openModelDirectory(goldenPath('gqa'));
  const options = { threads: 2, context: 1024 };
  return new Llama(config, await WasmEngine.load(config, checkpoint, options));
}

describe('who is computed when', () => {
  const repeat = (line: string, times: number) => Array<string>(times).fill(line);

  it('a text is decoded in every pass while a long prompt is read in the other rows', async () => {
    const model = babbling();
    const passes = watch(model);
    const scheduler = createScheduler(model, byteTokenizer, { maxRows: 8 });
    const short = collect(scheduler.generate(idsOf(2, 1), { maxNewTokens: 5 }));
    const long = collect(scheduler.generate(idsOf(27, 2), { maxNewTokens: 2 }));
    await Promise.all([short, long]);
    expect(table(passes)).toEqual(['0: 2, 1: 6', ...repeat('0: 1, 1: 7', 3), '0: 1, 1: 1']);
  });

  it('prompts are read in the order in which they came, a chunk at most', async () => {
    const model = babbling();
    const passes = watch(model);
    const scheduler = createScheduler(model, byteTokenizer, { maxRows: 6 });
    const options = { maxNewTokens: 1 };
    const first = collect(scheduler.generate(idsOf(8, 1), { ...options, chunkSize: 4 }));
    const second = collect(scheduler.generate(idsOf(9, 2), options));
    const third = collect(scheduler.generate(idsOf(1, 3), options));
    await Promise.all([first, second, third]);
    expect(table(passes)).toEqual(['0: 4, 1: 2', '0: 4, 1: 2', '1: 5, 2: 1']);
  });

  it('prompts wait while there is a text to decode for every row', async () => {
    const model = babbling();
    const passes = watch(model);
    const scheduler = createScheduler(model, byteTokenizer, { maxRows: 2 });
    await Promise.all(
      [3, 3, 1].map((maxNewTokens, i) =>
        collect(scheduler.generate(idsOf(1, i), { maxNewTokens })),
      ),
    );
    expect(table(passes)).toEqual([...repeat('0: 1, 1: 1', 3), '2: 1']);
  });

  it('more texts than rows take turns', async () => {
    const model = babbling();
    const passes = watch(model);
    const scheduler = createScheduler(model, byteTokenizer, { maxRows: 2 });
    const texts = [0, 1, 2].map(i => scheduler.generate(idsOf(1, i), SHORT));
    await Promise.all(texts.map(text => text.next()));
    await Promise.all(texts.map(collect));
    const order = passes.slice(2).map(counts => [...counts.keys()].join(' '));
    expect(order).toEqual(['0 1', '2 0', '1 2', '0 1', '2']);
  });

  it('nothing is computed ahead of a consumer that is slow, and others go on', async () => {
    const model = babbling();
    const passes = watch(model);
    const scheduler = createScheduler(model, byteTokenizer);
    const idle = scheduler.generate(idsOf(1, 1), { maxNewTokens: 9 });
    await idle.next();
    await collect(scheduler.generate(idsOf(1, 2), { maxNewTokens: 9 }));
    await turns(20);
    expect(passes.filter(counts => counts.has(0)).length).toBe(1);
    expect(passes.length).toBe(10);
    expect((await collect(idle)).length).toBe(8);
    expect(passes.filter(counts => counts.has(0)).length).toBe(9);
  });

  it('eight that ask at once share every pass', async () => {
    const model = babbling();
    const scheduler = createScheduler(model, byteTokenizer);
    const texts = [1, 2, 3, 4, 5, 6, 7, 8].map(i => scheduler.generate(idsOf(3, i), SHORT));
    await Promise.all(texts.map(collect));
    expect(model.rowsPerPass).toEqual([24, 8, 8, 8]);
  });

  it('a text that nobody has asked for takes nothing', async () => {
    const model = babbling();
    const text = createScheduler(model, byteTokenizer).generate([BOS], SHORT);
    await turns(3);
    await text.return();
    expect(model.rowsPerPass).toEqual([]);
  });
});

describe('what ends one text ends no other', () => {
  /** What a text ends by: an error, or nothing. */
  const ended = (steps: Steps): Promise<unknown> =>
    collect(steps).then(
      () => undefined,
      error => error,
    );

  /** Gives what the text of `spoil` ended by; fails unless those beside it say what they should. */
  async function besides(spoil: (scheduler: Scheduler) => Steps, model = babbling()) {
    const scheduler = createScheduler(model, byteTokenizer);
    const good = { maxNewTokens: 6, temperature: 1, seed: 1 };
    const before = collect(scheduler.generate(idsOf(3, 1), good));
    const spoiled = ended(spoil(scheduler));
    const after = collect(scheduler.generate(idsOf(4, 2), good));
    const alone = [idsOf(3, 1), idsOf(4, 2)].map(prompt =>
      collect(generate(babbling(), byteTokenizer, prompt, good)),
    );
    expect(await Promise.all([before, after])).toEqual(await Promise.all(alone));
    return spoiled;
  }

  it('options that are refused, at once', () => {
    const scheduler = createScheduler(babbling(), byteTokenizer);
    const refused = (code: string) => expect.objectContaining({ code });
    expect(() => scheduler.generate([BOS], { maxNewTokens: 0 })).toThrow(refused('BAD_OPTION'));
    expect(() => scheduler.generate([])).toThrow(refused('BAD_INPUT'));
    expect(() => scheduler.generate('a'.repeat(99))).toThrow(refused('CONTEXT_OVERFLOW'));
    const create = (options: object) => () => createScheduler(babbling(), byteTokenizer, options);
    expect(create({ maxRows: 0 })).toThrow(refused('BAD_OPTION'));
    expect(create({ rows: 1 })).toThrow(refused('BAD_OPTION'));
  });

  it.each(['exact', 'wasm'] as const)('logits that are not finite: %s', async kernels => {
    const model = await loadTiny(kernels);
    const tokenizer = idTokenizer(60);
    const scheduler = createScheduler(model, tokenizer);
    const prompts = [[20, 21], [20, NAN_TOKEN], [30]];
    const [first, bad, last] = prompts.map(prompt => scheduler.generate(prompt, SHORT));
    const [one, error, other] = await Promise.all([collect(first), ended(bad), collect(last)]);
    expect(error).toMatchObject({ code: 'NOT_FINITE' });
    expect(one).toEqual(await collect(generate(model, tokenizer, prompts[0], SHORT)));
    expect(other).toEqual(await collect(generate(model, tokenizer, prompts[2], SHORT)));
    await model.close();
  });

  it.each(['exact', 'wasm'] as const)(
    'a sequence of another model, or one that was disposed: %s',
    async kernels => {
      const [model, other] = [await loadTiny(kernels), await loadTiny(kernels)];
      const [foreign, gone, dying] = [other, model, model].map(from => new TokenSequence(from));
      const scheduler = createScheduler(model, idTokenizer(60));
      gone.dispose();
      const onProgress = () => dying.dispose();
      const good = collect(scheduler.generate([20, 21], SHORT));
      const errors = [
        { sequence: foreign },
        { sequence: gone },
        { sequence: dying, onProgress },
      ].map(options => ended(scheduler.generate([20, 21], { ...SHORT, ...options })));
      expect(await good).toEqual(await collect(generate(model, idTokenizer(60), [20, 21], SHORT)));
      const codes = (await Promise.all(errors)).map(error => (error as { code: string }).code);
      expect(codes).toEqual(['BAD_INPUT', 'DISPOSED', 'DISPOSED']);
      await Promise.all([model.close(), other.close()]);
    },
  );

  it('a sequence that another text is using', async () => {
    const model = babbling();
    const sequence = new TokenSequence(model);
    const scheduler = createScheduler(model, byteTokenizer);
    const [first, second] = [1, 2].map(seed =>
      scheduler.generate(idsOf(2, seed), { ...SHORT, sequence }),
    );
    const [steps, error] = await Promise.all([collect(first), ended(second)]);
    expect(steps.length).toBe(4);
    expect(error).toMatchObject({ code: 'BAD_INPUT' });
  });

  it('a callback that throws, between passes', async () => {
    const mistake = new Error('in a callback');
    const onProgress = ({ stage, done }: { stage: string; done: number }) => {
      if (stage === 'decode' && done === 2) throw mistake;
    };
    expect(await besides(s => s.generate(idsOf(2, 3), { onProgress }))).toBe(mistake);
  });

  it('a callback that throws once, in the middle of a pass', async () => {
    const mistake = new Error('in a callback');
    let told = 0;
    const onProgress = () => {
      if (told++ === 0) throw mistake;
    };
    const model = babbling();
    const forward = model.forward.bind(model);
    model.forward = (rows, options) => {
      for (let layer = 1; layer <= 3; layer++) options.onLayer?.(layer, 3);
      return forward(rows, options);
    };
    expect(await besides(s => s.generate(idsOf(2, 3), { onProgress }), model)).toBe(mistake);
    expect(told).toBe(1);
  });

  it('but the end of the model ends all, and none hangs', async () => {
    const model = await loadTiny('wasm');
    const scheduler = createScheduler(model, idTokenizer(60));
    const texts = [20, 21, 22].map(id => ended(scheduler.generate([id], { maxNewTokens: 500 })));
    await turns(1);
    await model.close();
    for (const error of await Promise.all(texts)) expect(error).toMatchObject({ code: 'DISPOSED' });
    expect(() => scheduler.generate([20], SHORT)).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    );
  });
});

describe('leaving early', () => {
  it('frees the memory at once', async () => {
    const model = babbling();
    const scheduler = createScheduler(model, byteTokenizer);
    for await (const { token } of scheduler.generate([BOS])) if (token! >= 0) break;
    expect(model.sequences.map(({ disposed }) => disposed)).toEqual([true]);
    await turns(5);
    expect(model.rowsPerPass).toEqual([1]);
  });

  it('an aborted signal ends its text while the pass goes on for the others', async () => {
    const model = babbling();
    const passes = held(model);
    const scheduler = createScheduler(model, byteTokenizer);
    const aborter = new AbortController();
    const { signal } = aborter;
    const cut = collect(scheduler.generate(idsOf(2, 1), { ...SHORT, signal }));
    const other = collect(scheduler.generate(idsOf(2, 2), SHORT));
    await turns(2);
    expect(passes.length).toBe(1);
    aborter.abort('enough');
    await expect(cut).rejects.toBe('enough'); // the pass has not ended
    expect(model.sequences.map(({ disposed }) => disposed)).toEqual([true, false]);
    expect(passes[0].signal?.aborted).toBe(false);
    const timer = setInterval(() => passes.at(-1)!.go(), 1);
    expect(await other).toEqual(
      await collect(generate(babbling(), byteTokenizer, idsOf(2, 2), SHORT)),
    );
    clearInterval(timer);
  });

  it('the pass is cancelled when nobody is left who wants it', async () => {
    const model = babbling();
    const passes = held(model);
    const scheduler = createScheduler(model, byteTokenizer);
    const aborters = [new AbortController(), new AbortController()];
    const texts = aborters.map(({ signal }, i) =>
      collect(scheduler.generate(idsOf(2, i), { ...SHORT, signal })),
    );
    await turns(2);
    for (const [i, aborter] of aborters.entries()) {
      aborter.abort(i);
      await expect(texts[i]).rejects.toBe(i);
      expect(passes[0].signal?.aborted).toBe(i === 1);
    }
    const next = collect(scheduler.generate(idsOf(2, 3), { maxNewTokens: 1 }));
    passes[0].go();
    await turns(3);
    passes[1].go();
    expect((await next).length).toBe(1);
  });

  it.each(['exact', 'wasm'] as const)(
    'a sequence that is kept is free when the text has ended: %s',
    async kernels => {
      const model = await loadTiny(kernels);
      const tokenizer = idTokenizer(60);
      const scheduler = createScheduler(model, tokenizer);
      const prompt = Array.from({ length: 150 }, (_, i) => 14 + ((i * 7) % 40));
      for (let turnsBefore = 0; turnsBefore < 6; turnsBefore++) {
        const sequence = new TokenSequence(model);
        const aborter = new AbortController();
        const kept = { ...SHORT, sequence };
        const long = { ...kept, maxNewTokens: 400, signal: aborter.signal };
        const cut = collect(scheduler.generate(prompt, long));
        const other = collect(scheduler.generate([30, 31], SHORT));
        await turns(turnsBefore);
        aborter.abort('enough');
        await expect(cut).rejects.toBe('enough');
        const again = collect(scheduler.generate(prompt, kept));
        const alone = await collect(generate(model, tokenizer, prompt, SHORT));
        expect((await again).map(withoutReuse)).toEqual(alone.map(withoutReuse));
        await other;
        sequence.dispose();
      }
      await model.close();
    },
  );
});

/** `reusedTokens` says what was held before. */
function withoutReuse(step: object): object {
  return JSON.parse(JSON.stringify(step, (key, value) => (key === 'reusedTokens' ? 0 : value)));
}
