/**
 * What must hold of a forward pass whatever the weights: chunks, batches, cancelled passes, bad
 * input.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExactEngine } from '../../src/engines/exact/exact-engine.js';
import { openModelDirectory } from '../../src/load/model-files.js';
import type { Checkpoint, CheckpointTensor } from '../../src/model/checkpoint.js';
import { Llama } from '../../src/model/llama.js';
import { recordTrace } from '../../src/model/trace.js';
import { allLogits, continuing, goldenPath, openGolden, readIntegers } from '../support/golden.js';

let model: Llama;
let tokens: number[];
beforeAll(async () => {
  model = await openGolden('gqa', 'f32');
  tokens = await readIntegers('gqa/trace-f32.safetensors', 'tokens');
});
afterAll(() => model.close());

describe('the same bits', () => {
  it.each(['f64', 'f32', 'bf16', 'f16'] as const)(
    '%s: a prompt at once, in chunks of 7 and token by token',
    async numerics => {
      const own = await openGolden('gqa', numerics);
      const whole = await allLogits(own, tokens);
      expect([...(await allLogits(own, tokens, 7))]).toEqual([...whole]);
      expect([...(await allLogits(own, tokens, 1))]).toEqual([...whole]);
      await own.close();
    },
  );

  it('a text alone, and in one batch with two others that are elsewhere', async () => {
    const alone = await allLogits(model, tokens);
    const [a, b, c] = [model.createSequence(), model.createSequence(), model.createSequence()];
    await model.forward(continuing(b, [1, 5, 9]));
    const rows = [
      ...continuing(a, tokens.slice(0, 9)),
      ...continuing(b, [7]),
      ...continuing(c, [1, 2]),
    ];
    const first = await model.forward(rows, { logitsFor: [8] });
    const mixed = [...continuing(c, [3]), ...continuing(a, tokens.slice(9)), ...continuing(b, [8])];
    const second = await model.forward(mixed, { logitsFor: [10] });
    const V = model.config.vocabSize;
    expect([...first.data]).toEqual([...alone.subarray(8 * V, 9 * V)]);
    expect([...second.data]).toEqual([...alone.subarray(18 * V, 19 * V)]);
  });

  it('after going back: truncated and continued as if the rest had never been', async () => {
    const sequence = model.createSequence();
    await model.forward(continuing(sequence, [...tokens.slice(0, 6), 300, 301, 302]));
    sequence.truncate(6);
    const resumed = await model.forward(continuing(sequence, tokens.slice(6)));
    const fresh = await model.forward(continuing(model.createSequence(), tokens));
    expect([...resumed.data]).toEqual([...fresh.data]);
  });

  it('with weights kept and with weights streamed layer by layer', async () => {
    const { config, checkpoint } = await openModelDirectory(goldenPath('gqa'));
    let read = 0;
    const counting: Checkpoint = {
      name: checkpoint.name,
      tensors: new Map(
        [...checkpoint.tensors].map(([name, tensor]) => {
          const counted = (first?: number, count?: number) => {
            read++;
            return tensor.read(first, count);
          };
          return [
            name,
            {
              name,
              dtype: tensor.dtype,
              shape: tensor.shape,
              byteLength: tensor.byteLength,
              read: counted,
              readInto: (...args) => tensor.readInto(...args),
              readBytes: (...args) => tensor.readBytes(...args),
            },
          ];
        }),
      ),
      close: () => checkpoint.close(),
    };
    const streamed = new Llama(
      config,
      new ExactEngine(config, counting, { numerics: 'f32', keepBytes: 0 }),
    );
    const shuffled = [7, 3, 7, 250, 3, 1, 7, ...tokens]; // repeated, and in no order
    const chunks = await allLogits(streamed, shuffled, 13);
    expect([...chunks]).toEqual([...(await allLogits(model, shuffled))]);
    const perPass = config.numHiddenLayers * 9 + 2;
    // every pass read all layers, norm and head, and some embeddings
    expect(read).toBeGreaterThanOrEqual(2 * perPass + 2);
    read = 0;
    const kept = new Llama(config, new ExactEngine(config, counting, { numerics: 'f32' }));
    await allLogits(kept, shuffled, 13);
    expect(read).toBe(perPass + 1); // once, however many passes
    await streamed.close();
  });
});

describe('a sequence', () => {
  it('cannot be truncated to what it never had', async () => {
    const sequence = model.createSequence();
    await model.forward(continuing(sequence, [1, 2]));
    for (const length of [3, -1, 0.5])
      expect(() => sequence.truncate(length)).toThrow('give an integer from 0 to 2');
  });

  it('is refused by a second pass while the first still runs', async () => {
    const sequence = model.createSequence();
    const first = model.forward(continuing(sequence, tokens));
    const second = model.forward(continuing(sequence, [1]));
    await expect(second).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('at a time'),
    });
    await first;
    expect(sequence.length).toBe(tokens.length);
  });
});

describe('float64 checkpoints', () => {
  it('are rounded to float32 in f32 mode, as torch_dtype=float32 does', async () => {
    const { config, checkpoint } = await openModelDirectory(goldenPath('gqa'));
    const finer = (bits: number): Checkpoint => ({
      name: 'float64',
      tensors: new Map(
        [...checkpoint.tensors].map(([name, { shape, byteLength, ...tensor }]) => {
          const read = async (first?: number, count?: number) => {
            const data = await (checkpoint.tensors.get(name) as CheckpointTensor).read(
              first,
              count,
            );
            return Float64Array.from(data, x => x * (1 + bits * 2 ** -50));
          };
          return [
            name,
            {
              ...tensor,
              name,
              dtype: 'F64',
              shape,
              byteLength: 2 * byteLength,
              read,
              readInto: async () => {},
              readBytes: async () => new Uint8Array(),
            },
          ];
        }),
      ),
      close: async () => {},
    });
    const logitsOf = async (bits: number, numerics: 'f32' | 'f64') =>
      allLogits(new Llama(config, new ExactEngine(config, finer(bits), { numerics })), tokens);
    expect(await logitsOf(1, 'f32')).toEqual(await logitsOf(0, 'f32'));
    expect(await logitsOf(1, 'f64')).not.toEqual(await logitsOf(0, 'f64'));
    await checkpoint.close();
  });
});

describe('trace', () => {
  it('does not change the result', async () => {
    const rows = continuing(model.createSequence(), tokens);
    const { trace } = recordTrace();
    const traced = await model.forward(rows, { trace });
    const plain = await model.forward(continuing(model.createSequence(), tokens));
    expect([...traced.data]).toEqual([...plain.data]);
  });

  it('keeps only what is asked for', async () => {
    const { trace, tensors } = recordTrace(name => name.endsWith('probabilities'));
    await model.forward(continuing(model.createSequence(), tokens.slice(0, 3)), { trace });
    expect([...tensors.keys()]).toEqual(
      [0, 1, 2].map(layer => `model.layers.${layer}.self_attn.probabilities`),
    );
    expect(tensors.get('model.layers.0.self_attn.probabilities')?.shape).toEqual([3, 6, 3]);
  });
});

describe('cancelling', () => {
  it('comes through in the middle of one long layer', async () => {
    const { config, checkpoint } = await openModelDirectory(goldenPath('mha'));
    const long = new Llama(config, new ExactEngine(config, checkpoint));
    const rows = continuing(long.createSequence(), new Array(3000).fill(5));
    const layers: number[] = [];
    const signal = AbortSignal.timeout(300);
    await expect(long.forward(rows, { signal, onLayer: n => layers.push(n) })).rejects.toThrow(
      'timeout',
    );
    expect(layers).toEqual([]);
    await long.close();
  });

  it('rejects with the reason, between layers, and leaves the sequence as it was', async () => {
    const sequence = model.createSequence();
    await model.forward(continuing(sequence, tokens.slice(0, 4)));
    const controller = new AbortController();
    const onLayer = (done: number) => done === 2 && controller.abort(new Error('enough'));
    const pass = model.forward(continuing(sequence, tokens.slice(4)), {
      signal: controller.signal,
      onLayer,
    });
    await expect(pass).rejects.toThrow('enough');
    expect(sequence.length).toBe(4);
    const resumed = await model.forward(continuing(sequence, tokens.slice(4)));
    const fresh = await model.forward(continuing(model.createSequence(), tokens));
    expect([...resumed.data]).toEqual([...fresh.data]);
  });

  it('does nothing at all if the signal was aborted before', async () => {
    const done: number[] = [];
    const signal = AbortSignal.abort(new Error('never mind'));
    const pass = model.forward(continuing(model.createSequence(), tokens), {
      signal,
      onLayer: n => done.push(n),
    });
    await expect(pass).rejects.toThrow('never mind');
    expect(done).toEqual([]);
  });
});

describe('bad input is refused by name', () => {
  it.each([
    [331, 'token 331 is not in the vocabulary; ids are integers from 0 to 330'],
    [-1, 'token -1 is not in the vocabulary'],
    [1.5, 'token 1.5 is not in the vocabulary'],
    [NaN, 'token NaN is not in the vocabulary'],
  ])('token %d', async (token, message) => {
    const pass = model.forward(continuing(model.createSequence(), [1, token]));
    await expect(pass).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message),
    });
  });

  it('a position out of turn, none at all, or beyond the context', async () => {
    const sequence = model.createSequence();
    const at = (position: number) => model.forward([{ token: 1, position, sequence }]);
    await expect(at(1)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('goes on at 0'),
    });
    await expect(at(0.5)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(at(32768)).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
      message: expect.stringContaining('32768'),
    });
    await expect(model.forward([])).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('logits of a row that is not there', async () => {
    const rows = continuing(model.createSequence(), [1, 2]);
    await expect(model.forward(rows, { logitsFor: [2] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
    await expect(model.forward(rows, { logitsFor: [-1] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
  });

  it('a NaN among the weights ends as NOT_FINITE, not as text', async () => {
    const { config, checkpoint } = await openModelDirectory(goldenPath('mha'));
    const poisoned = new Map(checkpoint.tensors);
    const name = 'model.layers.1.mlp.down_proj.weight';
    const good = checkpoint.tensors.get(name);
    if (good === undefined) throw new Error(`golden/mha has no ${name}`);
    const { dtype, shape, byteLength } = good;
    const read = async (first?: number, count?: number) => {
      const data = await good.read(first, count);
      data[5] = NaN;
      return data;
    };
    const [readInto, readBytes] = [good.readInto.bind(good), good.readBytes.bind(good)];
    poisoned.set(name, { name, dtype, shape, byteLength, read, readInto, readBytes });
    const sick = new Llama(
      config,
      new ExactEngine(config, { name: 'sick', tensors: poisoned, close: () => checkpoint.close() }),
    );
    const pass = sick.forward(continuing(sick.createSequence(), [1, 2, 3]));
    await expect(pass).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringContaining('position 2'),
    });
    await sick.close();
  });
});
