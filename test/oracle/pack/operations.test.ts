/** The conformance pack's single operations against `src/ops`. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/base/tensor.js';
import { openFile } from '../../../src/files/file.js';
import { openSafetensors } from '../../../src/files/safetensors/safetensors.js';
import {
  attention,
  matmul,
  ROUNDINGS,
  rmsnorm,
  rope,
  ropeFrequencies,
  ropeTable,
  swiglu,
} from '../../../src/ops/index.js';
import { goldenPath, readTensors } from '../../support/golden.js';
import { tensor, zeros } from '../../support/tensors.js';
import { farthest, PACK } from './pack.js';

/** Every operation has some of the parameters. */
interface Parameters {
  readonly name: string;
  readonly eps: number;
  readonly theta: number;
  readonly factor: number;
  readonly positions: readonly number[];
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  readonly visible: readonly number[];
}

interface Case {
  readonly name: string;
  readonly parameters: Parameters;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly out: Tensor;
}

const { f64, f32 } = ROUNDINGS;

async function casesOf(operation: string): Promise<Case[]> {
  const name = `${PACK}/operations/${operation}.safetensors`;
  const file = await openSafetensors(await openFile(goldenPath(name)));
  await file.close();
  const tensors = await readTensors(name);
  return JSON.parse(file.metadata.get('cases')!).map((parameters: Parameters) => {
    const { name } = parameters;
    const own = [...tensors].filter(([key]) => key.startsWith(`${name}.`));
    const { out, ...inputs } = Object.fromEntries(
      own.map(([key, { shape, data }]) => [key.slice(name.length + 1), tensor(shape, data)]),
    );
    return { name, parameters, inputs, out };
  });
}

function computeRope({ parameters, inputs: { x } }: Case): Tensor {
  const { head_dim: headDim, theta, factor, positions } = parameters;
  const [cosines, sines] = [0, 1].map(() => zeros(positions.length, headDim / 2));
  const frequencies = ropeFrequencies(headDim, theta, { type: 'linear', factor });
  ropeTable(cosines, sines, positions, frequencies, f64);
  rope(x, cosines, sines, f64);
  return x;
}

function computeAttention({ parameters, inputs: { query, keys, values } }: Case): Tensor {
  const { heads, kv_heads, head_dim, visible } = parameters;
  const shape = { numHeads: heads, numKeyValueHeads: kv_heads, headDim: head_dim };
  const out = zeros(...query.shape);
  visible.forEach((count, r) => {
    const row = [r * query.shape[1], (r + 1) * query.shape[1]] as const;
    const seen = { keys: keys.data, values: values.data, count };
    const probabilities = new Float64Array(heads * count);
    const context = out.data.subarray(...row);
    attention(context, query.data.subarray(...row), seen, shape, probabilities, f64);
  });
  return out;
}

const COMPUTE: Readonly<Record<string, (of: Case) => Tensor>> = {
  rmsnorm({ parameters, inputs: { x, weight }, out }) {
    const ours = zeros(...out.shape);
    rmsnorm(ours, x, weight, parameters.eps, f64);
    return ours;
  },
  rope: computeRope,
  attention: computeAttention,
};

describe.each(Object.entries(COMPUTE))('%s', async (operation, compute) => {
  it.each(await casesOf(operation))('$name: within 1e-12 of the row’s', of => {
    expect(farthest(compute(of), of.out)).toBeLessThan(1e-12);
  });
});

it('swiglu: every number is within 1e-14 of itself, zeros have their sign', async () => {
  for (const { inputs, out } of await casesOf('swiglu')) {
    const ours = zeros(...out.shape);
    swiglu(ours, inputs.gate, inputs.up, f64);
    for (const [i, x] of out.data.entries()) {
      if (x === 0) expect(ours.data[i]).toBe(x);
      else expect(Math.abs(ours.data[i] / x - 1)).toBeLessThan(1e-14);
    }
  }
});

describe('matmul', async () => {
  it.each(await casesOf('matmul'))('$name: the same numbers in float64, float32', of => {
    for (const rounding of [f64, f32]) {
      const out = { shape: of.out.shape, data: new rounding.Numbers(of.out.data.length) };
      matmul(out, of.inputs.x, of.inputs.weight, rounding);
      expect(Float64Array.from(out.data)).toEqual(of.out.data);
    }
  });
});
