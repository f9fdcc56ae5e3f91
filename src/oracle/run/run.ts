/**
 * One pass over a text, and the tensors that are wanted of it.
 *
 * It is the model's own `forward` over whatever kernels, weights and past a setup has. With
 * `force`, what an operation gave is replaced by another implementation's numbers once it is kept,
 * so that the next operation starts from those, and each answers for itself alone.
 */
import { elementCount, type Tensor } from '../../base/tensor.js';
import { breather } from '../../model/breathe.js';
import { forward } from '../../model/forward.js';
import type { Kernels } from '../../model/kernels.js';
import { isOfLogits, type Tracer } from '../../model/trace.js';
import type { Setup, Step } from './setup.js';

/** Tensors by their names in `src/model/trace.ts`, a row for each place that was asked for. */
export type Traced = ReadonlyMap<string, Tensor>;

/** What is to be kept: the places of the text whose rows are wanted, by the tensor's name. */
export type Wanted = ReadonlyMap<string, readonly number[]>;

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Writes the numbers of another implementation into the tensor, rows of which are steps. */
  readonly force?: ((name: string, tensor: Tensor, steps: readonly Step[]) => void) | undefined;
}

/**
 * Rows of the tensors that are wanted, as float64. A place that no step answers has NaN.
 */
export async function run(
  setup: Setup,
  wanted: Wanted,
  { signal, force }: RunOptions = {},
): Promise<Traced> {
  const { config, weights, steps, past } = setup;
  const rows = steps.map(({ token }, i) => ({ token, position: i, sequence: past }));
  const logitsFor = rowsFor(steps, wanted);
  const asked = logitsFor.map(row => steps[row]);
  const traced = new Map<string, Tensor>();
  const take = (name: string, tensor: Tensor) => {
    const of = isOfLogits(name) ? asked : steps;
    const places = wanted.get(name);
    if (places !== undefined) traced.set(name, placeRows(tensor, of, places));
    force?.(name, tensor, of);
  };
  const tracer: Tracer<Tensor> = {
    wants: name => wanted.has(name) || (force !== undefined && !name.endsWith('.probabilities')),
    trace: take,
    traceNumbers: take,
  };
  const breathe = breather(signal);
  const kernels = withoutUnasked(positioned(setup), setup, wanted, logitsFor);
  await forward(kernels, config, weights, rows, logitsFor, { tracer, betweenLayers: breathe });
  // without such rows forward ends before it comes to these
  if (asked.length === 0) {
    take('model.norm', kernels.tensor(0, config.hiddenSize));
    take('lm_head', kernels.tensor(0, config.vocabSize));
  }
  return traced;
}

/** The steps whose logits, and what comes right before them, are wanted. */
function rowsFor(steps: readonly Step[], wanted: Wanted): number[] {
  const places = new Set([...wanted].flatMap(([name, of]) => (isOfLogits(name) ? of : [])));
  return [...steps.keys()].filter(row => {
    const { place } = steps[row];
    return place !== undefined && places.has(place);
  });
}

/** Kernels that rotate by the steps' own positions, which need not be their places. */
function positioned({ kernels, steps }: Setup): Kernels<Tensor> {
  const positions = steps.map(({ position }) => position);
  return override(kernels, {
    ropeTable: (cosines, sines, _, frequencies) =>
      kernels.ropeTable(cosines, sines, positions, frequencies),
  });
}

/**
 * Attention of the last layer costs most of a long text, and where only logits are wanted only of
 * the rows asked for.
 */
function withoutUnasked(
  kernels: Kernels<Tensor>,
  { config, mixesRows }: Setup,
  wanted: Wanted,
  logitsFor: readonly number[],
): Kernels<Tensor> {
  const last = config.numHiddenLayers - 1;
  const isWhole = [...wanted.keys()].some(name => name.startsWith(`model.layers.${last}`));
  if (isWhole || mixesRows) return kernels;
  const rowOf = ({ shape: [, width], data }: Tensor, row: number): Tensor => {
    return { shape: [1, width], data: data.subarray(row * width, (row + 1) * width) };
  };
  return override(kernels, {
    async attention(out, query, layer, rows, ...rest) {
      if (layer < last) return kernels.attention(out, query, layer, rows, ...rest);
      out.data.fill(0);
      for (const row of logitsFor)
        await kernels.attention(rowOf(out, row), rowOf(query, row), layer, [rows[row]], ...rest);
    },
  });
}

/** `kernels` with other operations in the place of some. */
export function override(
  kernels: Kernels<Tensor>,
  others: Partial<Kernels<Tensor>>,
): Kernels<Tensor> {
  return {
    tensor: (...shape) => kernels.tensor(...shape),
    embedding: (...args) => kernels.embedding(...args),
    rmsnorm: (...args) => kernels.rmsnorm(...args),
    matmul: (...args) => kernels.matmul(...args),
    ropeTable: (...args) => kernels.ropeTable(...args),
    rope: (...args) => kernels.rope(...args),
    store: (...args) => kernels.store(...args),
    attention: (...args) => kernels.attention(...args),
    swiglu: (...args) => kernels.swiglu(...args),
    add: (...args) => kernels.add(...args),
    ...others,
  };
}

/** A copy of the rows that answer `places`, in that order. */
function placeRows(
  { shape, data }: Tensor,
  steps: readonly Step[],
  places: readonly number[],
): Tensor {
  const width = elementCount(shape.slice(1));
  const rows = new Map(steps.map(({ place }, row) => [place, row]));
  const placed = new Float64Array(places.length * width).fill(NaN);
  for (const [i, place] of places.entries()) {
    const row = rows.get(place);
    if (row !== undefined) placed.set(data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { shape: [places.length, ...shape.slice(1)], data: placed };
}
