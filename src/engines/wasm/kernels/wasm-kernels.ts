/**
 * The kernels of one thread of the pool. Every thread runs the same forward pass over the same
 * tensors, each computing its share of every operation, in the lock-step that `lock-step.ts`
 * describes.
 *
 * A tensor is a place in the arena, the same place in every bank. Which bank has its numbers every
 * thread knows from the sequence of operations alone, so they agree without talking.
 */
import type { Tensor } from '../../../base/tensor.js';
import type { LlamaConfig } from '../../../model/config.js';
import type { Kernels } from '../../../model/kernels.js';
import type { Row } from '../../../model/sequence.js';
import { ropeTable } from '../../../ops/rope.js';
import { ROUNDINGS } from '../../../ops/rounding.js';
import { Arena, type WasmTensor } from '../memory/arena.js';
import type { MemoryLayout } from '../memory/layout.js';
import { TILE } from '../memory/weight-formats.js';
import type { Control } from '../threads/control.js';
import { CachedAttention } from './cached-attention.js';
import { LinearLayers } from './linear-layers.js';
import { type Bank, LockStep } from './lock-step.js';

export class WasmKernels implements Kernels<WasmTensor> {
  readonly #lockStep: LockStep;
  readonly #linear: LinearLayers;
  readonly #attention: CachedAttention;
  readonly #arena: Arena;
  /** Where this thread writes down indices of rows, in every bank. */
  readonly #indices: number;

  /** `index`: which of the pool's threads this is. */
  constructor(
    config: LlamaConfig,
    banks: readonly Bank[],
    layout: MemoryLayout,
    control: Control,
    index: number,
  ) {
    const { scratch, shared, end } = layout.arena;
    const { indices, panel, attention } = scratch[index];
    this.#indices = indices;
    this.#arena = new Arena(shared, end);
    this.#lockStep = new LockStep(banks, control, index, layout.threads);
    this.#linear = new LinearLayers(config, this.#lockStep, panel);
    this.#attention = new CachedAttention(config, layout, this.#lockStep, attention);
  }

  /** Before every pass: an empty arena, and what a pass needs beside activations. */
  begin(rows: readonly Row<object>[]): void {
    this.#arena.clear();
    this.#attention.begin(this.#arena, rows);
    this.#linear.begin(this.#arena, rows.length);
    this.#lockStep.begin();
  }

  /** How many keys and values of `sequence` this thread could not store in this pass. */
  tooLargeOf(sequence: object): number {
    return this.#attention.tooLargeOf(sequence);
  }

  tensor(...shape: number[]): WasmTensor {
    return this.#arena.tensor(...shape);
  }

  /** Only the leader may call this: the others have nothing to do with results. */
  read({ shape, pointer, stride, bank }: WasmTensor): Tensor {
    const [rows, width] = shape;
    const data = new Float32Array(rows * width);
    const { buffer } = this.#lockStep.banks[bank].memory;
    for (let r = 0; r < rows; r++)
      data.set(new Float32Array(buffer, pointer + r * stride * 4, width), r * width);
    return { shape, data };
  }

  /** Waits until what `x` holds is complete. */
  settle(x: WasmTensor): void {
    this.#lockStep.settle(x);
  }

  embedding(out: WasmTensor, table: WasmTensor, indices: readonly number[]): void {
    // rows of the table may be anybody's
    const { kernels, memory } = this.#lockStep.enter(table.bank, [table], [out]);
    const [from, to] = this.#lockStep.share(indices.length);
    if (table.format === 'activation') {
      for (let r = from; r < to; r++) copyRow(memory, out, r, table, indices[r]);
      return;
    }
    new Uint32Array(memory.buffer, this.#indices, indices.length).set(indices);
    const width = table.shape[1];
    const { embedF32, embedF16, embedBF16 } = kernels;
    const embed =
      table.format === 'rows-f32' ? embedF32 : table.format === 'rows-f16' ? embedF16 : embedBF16;
    embed(out.pointer, out.stride, table.pointer, this.#indices, width, from, to);
  }

  rmsnorm(out: WasmTensor, x: WasmTensor, weight: WasmTensor, eps: number): void {
    const [rows, width] = x.shape;
    const { kernels } = this.#lockStep.enter(weight.bank, [x], [out], rows);
    const [from, to] = this.#lockStep.share(rows);
    kernels.rmsnorm(out.pointer, x.pointer, weight.pointer, width, x.stride, eps, from, to);
  }

  matmul(out: WasmTensor, x: WasmTensor, weight: WasmTensor): void {
    this.#linear.matmul(out, x, weight);
  }

  ropeTable(
    cosines: WasmTensor,
    sines: WasmTensor,
    positions: readonly number[],
    frequencies: Float32Array,
  ): void {
    const { memory } = this.#lockStep.enter(cosines.bank, [], [cosines, sines]);
    const [from, to] = this.#lockStep.share(positions.length);
    for (let r = from; r < to; r++) {
      const tables = [rowOf(memory, cosines, r), rowOf(memory, sines, r)] as const;
      ropeTable(...tables, [positions[r]], frequencies, ROUNDINGS.f32);
    }
  }

  rope(x: WasmTensor, cosines: WasmTensor, sines: WasmTensor): void {
    const half = cosines.shape[1];
    const [rows, width] = x.shape;
    const { kernels } = this.#lockStep.enter(x.bank, [cosines, sines], [x], rows);
    const [from, to] = this.#lockStep.share(rows);
    kernels.rope(
      ...[x.pointer, x.stride, cosines.pointer, sines.pointer, cosines.stride],
      ...[half, width / (2 * half), from, to],
    );
  }

  store(layer: number, keys: WasmTensor, values: WasmTensor, rows: readonly Row<object>[]): void {
    this.#attention.store(layer, keys, values, rows);
  }

  attention(
    out: WasmTensor,
    query: WasmTensor,
    layer: number,
    rows: readonly Row<object>[],
    _config: LlamaConfig,
    observe?: (row: number, probabilities: Tensor) => void,
  ): void {
    this.#attention.attend(out, query, layer, rows);
    if (observe === undefined) return;
    this.settle(query);
    if (this.#lockStep.isLeader)
      this.#attention.observe(layer, rows, this.read(query).data, observe);
  }

  swiglu(out: WasmTensor, gate: WasmTensor, up: WasmTensor): void {
    const { rows, range } = this.#floats(gate, gate.shape[0] >= this.#lockStep.threads);
    const { kernels } = this.#lockStep.enter(gate.bank, [gate, up], [out], rows);
    kernels.swiglu(out.pointer, gate.pointer, up.pointer, ...range);
  }

  add(out: WasmTensor, x: WasmTensor, y: WasmTensor): void {
    const { rows, range } = this.#floats(x, true); // so little that a barrier would take longer
    const { kernels } = this.#lockStep.enter(y.bank, [x, y], [out], rows);
    kernels.add(out.pointer, x.pointer, y.pointer, ...range);
  }

  /**
   * This thread's part of the floats of `x`, padding included: whole rows, whose number is told
   * then, or else whole cache lines.
   */
  #floats(
    { shape, stride }: WasmTensor,
    byRows: boolean,
  ): { rows?: number; range: [from: number, to: number] } {
    const [rows] = shape;
    const unit = byRows ? stride : TILE;
    const [from, to] = this.#lockStep.share((rows * stride) / unit);
    return { ...(byRows && { rows }), range: [from * unit, to * unit] };
  }
}

/** Row `from` of `source` to row `to` of `target`, padding included. */
function copyRow(
  { buffer }: WebAssembly.Memory,
  target: WasmTensor,
  to: number,
  source: WasmTensor,
  from: number,
): void {
  const { stride } = source;
  const row = new Float32Array(buffer, source.pointer + from * stride * 4, stride);
  new Float32Array(buffer, target.pointer + to * target.stride * 4, target.stride).set(row);
}

/** Row `r` of `x` where it lies, as a tensor [1, width]. */
function rowOf({ buffer }: WebAssembly.Memory, x: WasmTensor, r: number): Tensor {
  const width = x.shape[1];
  return {
    shape: [1, width],
    data: new Float32Array(buffer, x.pointer + r * x.stride * 4, width),
  };
}
