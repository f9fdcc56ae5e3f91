import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { convertModel } from '../../src/convert/convert.js';
import { dtypesInFile } from '../../src/convert/gguf/write-model.js';
import { QUANTIZE_TYPES, type QuantizeType, quantizeModel } from '../../src/convert/quantize.js';
import { openGgufFile } from '../../src/files/gguf/model.js';
import { encodeNumbers } from '../../src/files/rows.js';
import { openModelFiles } from '../../src/load/model-files.js';
import { expectRefused } from '../files/helpers.js';
import { goldenPath } from '../support/golden.js';
import {
  configOf,
  expectSameTensors,
  storedTensors,
  temporaryDirectory,
  tokenizerOf,
  wideModel,
} from './support.js';

const { at, names } = temporaryDirectory();

/** Llama.cpp's numbers for files that are mostly in a format: enum llama_ftype. */
const FILE_TYPES: Record<QuantizeType, number> = {
  ...{ q4_0: 2, q4_1: 3, q8_0: 7, q5_0: 8, q5_1: 9, q4_k: 14, q4_k_m: 15, q6_k: 18 },
};

describe.each(QUANTIZE_TYPES)('%s', type => {
  it('has every tensor as encodeNumbers makes it, with 1, 2 and 3 threads', async () => {
    await wideModel(at('source'));
    const fileType = type.toUpperCase() as Uppercase<QuantizeType>;
    for (const threads of [1, 2, 3])
      await quantizeModel(at('source'), at(`${threads}.gguf`), { type, threads });
    const { config, checkpoint } = await openModelFiles(at('source'));
    const dtypes = dtypesInFile({ config, checkpoint }, fileType);
    const stored = await storedTensors(at('1.gguf'));
    for (const [name, { dtype, bytes }] of stored) {
      expect([name, dtype]).toEqual([name, dtypes.get(name)]);
      const expected = encodeNumbers(dtypes.get(name)!, await checkpoint.tensors.get(name)!.read());
      expect(bytes.equals(expected), name).toBe(true);
    }
    await checkpoint.close();
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map(threads => readFile(at(`${threads}.gguf`))),
    );
    expect(two.equals(one)).toBe(true);
    expect(three.equals(one)).toBe(true);
    const file = await openGgufFile(at('1.gguf'));
    await file.close();
    expect(file.metadata.get('general.file_type')).toEqual({
      type: 'u32',
      value: FILE_TYPES[type],
    });
    expect(await configOf(at('1.gguf'))).toEqual(await configOf(at('source')));
    expect((await tokenizerOf(at('1.gguf'))).pieces.slice(0, 331)).toEqual(
      (await tokenizerOf(at('source'))).pieces,
    );
  });
});

it('from a directory and from a GGUF file of the same numbers: the same tensors', async () => {
  await wideModel(at('source'));
  await convertModel(at('source'), at('f32.gguf'));
  await quantizeModel(at('source'), at('a.gguf'), { type: 'q8_0' });
  await quantizeModel(at('f32.gguf'), at('b.gguf'), { type: 'q8_0' });
  await expectSameTensors(at('a.gguf'), at('b.gguf'));
});

describe('a model that is quantized already', () => {
  it('is refused by name unless allowed; what has the format stays, bit for bit', async () => {
    await wideModel(at('source'));
    await quantizeModel(at('source'), at('q8.gguf'), { type: 'q8_0' });
    const again = (options: object) =>
      quantizeModel(at('q8.gguf'), at('q4.gguf'), { type: 'q4_0', ...options });
    await expectRefused(
      again({}),
      'BAD_OPTION',
      'is quantized to Q8_0 already',
      'to Q4_0',
      '--allow-requantize',
    );
    expect(await names()).toEqual(['q8.gguf', 'source']);
    await again({ allowRequantize: true });
    const { checkpoint } = await openModelFiles(at('q8.gguf'));
    const name = 'model.layers.1.mlp.up_proj.weight';
    const expected = encodeNumbers('Q4_0', await checkpoint.tensors.get(name)!.read());
    await checkpoint.close();
    expect((await storedTensors(at('q4.gguf'))).get(name)!.bytes.equals(expected)).toBe(true);

    await quantizeModel(at('q8.gguf'), at('same.gguf'), { type: 'q8_0' });
    await expectSameTensors(at('same.gguf'), at('q8.gguf'));
  });
});

it('tells which matrices have rows too short for their blocks, and what they are in', async () => {
  const { notes } = await quantizeModel(goldenPath('mha'), at('k.gguf'), { type: 'q4_k_m' });
  expect(notes.slice(0, 2)).toEqual([
    '12 matrices are F16 in place of Q4_K: rows of 60 numbers are not a multiple of 256',
    '1 matrix is F16 in place of Q4_K: rows of 115 numbers are not a multiple of 256',
  ]);
  expect(notes).toHaveLength(4);
  await wideModel(at('wide'));
  expect((await quantizeModel(at('wide'), at('wide.gguf'), { type: 'q4_k_m' })).notes).toEqual([]);
});

describe('is refused:', () => {
  const quantize = (output: string, options: object) =>
    quantizeModel(goldenPath('mha'), at(output), options as never);
  it('what is no GGUF file', async () => {
    await expectRefused(quantize('model', { type: 'q8_0' }), 'BAD_OPTION', 'ends in .gguf');
  });
  it('a type that there is not, or none', async () => {
    await expectRefused(
      quantize('a.gguf', { type: 'q2_k' }),
      'BAD_OPTION',
      'type is "q2_k"',
      'q4_k_m',
    );
    await expectRefused(quantize('a.gguf', {}), 'BAD_OPTION', 'type is undefined');
  });
});
