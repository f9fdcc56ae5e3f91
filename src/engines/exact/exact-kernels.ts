/**
 * `src/ops` bound as kernels: slow and right. Not for production; this is what everything else is
 * compared with.
 */

import { elementCount, type Floats, type Tensor } from '../../base/tensor.js';
import type { CheckpointTensor } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Kernels } from '../../model/kernels.js';
import type { Row } from '../../model/sequence.js';
import { add } from '../../ops/add.js';
import { attention, type Visible } from '../../ops/attention.js';
import { embedding } from '../../ops/embedding.js';
import { matmul } from '../../ops/matmul.js';
import { rmsnorm } from '../../ops/rmsnorm.js';
import { rope, ropeTable } from '../../ops/rope.js';
import { type NumericsName, ROUNDINGS, type Rounding } from '../../ops/rounding.js';
import { swiglu } from '../../ops/swiglu.js';

/** Some 10 ms of work. */
const PRODUCTS_PER_BREATH = 1e7;

/** What the rows of the exact kernels have as their sequence: its keys and values. */
export interface Past {
  /** Keys and values [n, K·d] of the positions from `position` on. */
  write(layer: number, position: number, keys: Floats, values: Floats): void;
  /** What the token at `position` may see. */
  visible(layer: number, position: number): Visible;
}

/** The operations that round, each of which may do it in a way of its own. */
export type OperationRoundings = Readonly<
  Record<'rmsnorm' | 'matmul' | 'rope' | 'attention' | 'swiglu' | 'add', Rounding>
>;

const everywhere = (rounding: Rounding): OperationRoundings => ({
  rmsnorm: rounding,
  matmul: rounding,
  rope: rounding,
  attention: rounding,
  swiglu: rounding,
  add: rounding,
});

export class ExactKernels implements Kernels<Tensor> {
  readonly #roundings: OperationRoundings;
  readonly #breathe: () => Promise<void>;

  /**
   * `numerics` by its name, or a rounding for each operation. `breathe` is awaited again and again
   * during long operations; it cancels them by throwing.
   */
  constructor(
    numerics: NumericsName | OperationRoundings,
    breathe: () => Promise<void> = async () => {},
  ) {
    this.#roundings = typeof numerics === 'string' ? everywhere(ROUNDINGS[numerics]) : numerics;
    this.#breathe = breathe;
  }

  tensor(...shape: number[]): Tensor {
    return { shape, data: new this.#roundings.matmul.Numbers(elementCount(shape)) };
  }

  /**
   * Rows first … first + count − 1 of a checkpoint's tensor, all of it if not given, in these
   * numerics.
   */
  async load(
    tensor: CheckpointTensor,
    first = 0,
    count = tensor.shape[0] - first,
  ): Promise<Tensor> {
    const data = await tensor.read(first, count);
    roundInPlace(data, this.#roundings.matmul);
    return { shape: [count, ...tensor.shape.slice(1)], data };
  }

  embedding(out: Tensor, table: Tensor, indices: readonly number[]): void {
    embedding(out, table, indices);
  }

  rmsnorm(out: Tensor, x: Tensor, weight: Tensor, eps: number): void {
    rmsnorm(out, x, weight, eps, this.#roundings.rmsnorm);
  }

  async matmul(out: Tensor, x: Tensor, weight: Tensor): Promise<void> {
    const [outputs] = weight.shape;
    const step = Math.max(1, Math.floor(PRODUCTS_PER_BREATH / x.data.length));
    for (let from = 0; from < outputs; from += step) {
      matmul(out, x, weight, this.#roundings.matmul, from, Math.min(from + step, outputs));
      await this.#breathe();
    }
  }

  ropeTable(
    cosines: Tensor,
    sines: Tensor,
    positions: readonly number[],
    frequencies: Float32Array,
  ): void {
    ropeTable(cosines, sines, positions, frequencies, this.#roundings.rope);
  }

  rope(x: Tensor, cosines: Tensor, sines: Tensor): void {
    rope(x, cosines, sines, this.#roundings.rope);
  }

  store(layer: number, keys: Tensor, values: Tensor, rows: readonly Row<object>[]): void {
    const width = keys.shape[1];
    rows.forEach(({ sequence, position }, r) => {
      const row = [r * width, (r + 1) * width] as const;
      (sequence as Past).write(
        layer,
        position,
        keys.data.subarray(...row),
        values.data.subarray(...row),
      );
    });
  }

  async attention(
    out: Tensor,
    query: Tensor,
    layer: number,
    rows: readonly Row<object>[],
    config: LlamaConfig,
    observe?: (row: number, probabilities: Tensor) => void,
  ): Promise<void> {
    const { numAttentionHeads: numHeads, numKeyValueHeads, headDim } = config;
    const width = numHeads * headDim;
    for (const [r, { sequence, position }] of rows.entries()) {
      const visible = (sequence as Past).visible(layer, position);
      const probabilities = this.tensor(numHeads, visible.count);
      attention(
        out.data.subarray(r * width, (r + 1) * width),
        query.data.subarray(r * width, (r + 1) * width),
        visible,
        { numHeads, numKeyValueHeads, headDim },
        probabilities.data,
        this.#roundings.attention,
      );
      observe?.(r, probabilities);
      await this.#breathe();
    }
  }

  swiglu(out: Tensor, gate: Tensor, up: Tensor): void {
    swiglu(out, gate, up, this.#roundings.swiglu);
  }

  add(out: Tensor, x: Tensor, y: Tensor): void {
    add(out, x, y, this.#roundings.add);
  }
}

/**
 * A checkpoint's numbers in the type that the model runs in, as `from_pretrained(torch_dtype=…)`
 * casts them.
 */
function roundInPlace(data: Floats, { name, store }: Rounding): void {
  const alreadyExact = name === 'f64' || (name === 'f32' && data instanceof Float32Array);
  if (alreadyExact) return;
  for (let i = 0; i < data.length; i++) data[i] = store(data[i]);
}
