/**
 * `npm run bench -- make`: a model of random weights, of a real shape, in one of the forms that
 * models are published in.
 */
import { parseArgs } from 'node:util';
import { makeRandomCheckpoint } from './random-checkpoint.js';
import { makeRandomPytorch } from './random-pytorch.js';
import { SHAPES, type Shape, type ShapeName } from './shapes.js';

const FORMS: Readonly<Record<string, (path: string, shape: Shape) => Promise<void>>> = {
  safetensors: (path, shape) => makeRandomCheckpoint(path, shape),
  pytorch: makeRandomPytorch,
};

export async function makeModel(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      shape: { type: 'string', default: '110M' },
      form: { type: 'string', default: 'safetensors' },
      out: { type: 'string', default: '' },
    },
  });
  const { shape, form, out } = values;
  if (!(shape in SHAPES && form in FORMS && out !== '')) {
    throw new Error(
      `--out PATH; shapes: ${Object.keys(SHAPES).join(', ')}; forms: ` +
        `${Object.keys(FORMS).join(', ')}`,
    );
  }
  await FORMS[form](out, SHAPES[shape as ShapeName]);
}
