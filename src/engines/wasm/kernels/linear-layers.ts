/**
 * Products with matrices, in whatever format they are packed. Most are multiplied with a copy of
 * the activation in a form of its own, which is made once for all the matrices that it meets.
 */
import type { LlamaConfig } from '../../../model/config.js';
import { type ActivationCopy, reserveCopy } from '../memory/activation-copy.js';
import type { Arena, WasmTensor } from '../memory/arena.js';
import { type BlockFormat, blocksOf, TILE } from '../memory/weight-formats.js';
import type { KernelExports } from './exports.js';
import type { LockStep } from './lock-step.js';

/** The formats whose blocks meet a quantized copy of an activation: its maker and its reader. */
export const BLOCKS = {
  q8_0: { copy: 'quantize14', matmul: 'matmulQ8' },
  q4_0: { copy: 'quantize8', matmul: 'matmulQ4' },
  q4_1: { copy: 'quantize8', matmul: 'matmulQ41' },
  q5_0: { copy: 'quantize8', matmul: 'matmulQ5' },
  q5_1: { copy: 'quantize8', matmul: 'matmulQ51' },
  q2_k: { copy: 'quantize8K', matmul: 'matmulQ2K' },
  q3_k: { copy: 'quantize8K', matmul: 'matmulQ3K' },
  q4_k: { copy: 'quantize8K', matmul: 'matmulQ4K' },
  q5_k: { copy: 'quantize8K', matmul: 'matmulQ5K' },
  q6_k: { copy: 'quantize8K', matmul: 'matmulQ6K' },
} as const satisfies Record<BlockFormat, { copy: string; matmul: keyof KernelExports }>;

/** The others; f16 meets a scaled copy. */
export const NUMBERS = {
  f32: { copy: undefined, matmul: 'matmulF32' },
  bf16: { copy: undefined, matmul: 'matmulBF16' },
  f16: { copy: 'scaleForF16', matmul: 'matmulF16' },
} as const;

/** What makes a copy, and so how it is laid out, see asm/README.md. */
type Copier = (typeof BLOCKS)[keyof typeof BLOCKS]['copy'] | 'scaleForF16';

/** Computes tiles `from … to − 1` of a product. */
type Multiply = (from: number, to: number) => void;

export class LinearLayers {
  readonly #config: LlamaConfig;
  readonly #lockStep: LockStep;
  /** Of this thread, in every bank: room for a panel of weights, or for running sums. */
  readonly #scratch: number;
  /** Where the one copy of an activation goes. */
  #copy: ActivationCopy = { numbers: 0, scales: 0, sums: 0, bank: 0 };
  /** What it is a copy of at the moment, and how it is laid out. */
  #copied: { readonly of: WasmTensor; readonly version: number; readonly as: Copier } | undefined;

  constructor(config: LlamaConfig, lockStep: LockStep, scratch: number) {
    this.#config = config;
    this.#lockStep = lockStep;
    this.#scratch = scratch;
  }

  /** Before every pass over `rows` rows. */
  begin(arena: Arena, rows: number): void {
    this.#copied = undefined;
    this.#copy = reserveCopy(arena, this.#config, rows);
  }

  /** out [R, n] = x [R, m] · weightᵀ, for weight [n, m]. */
  matmul(out: WasmTensor, x: WasmTensor, weight: WasmTensor): void {
    this.#lockStep.deal(Math.ceil(weight.shape[0] / TILE), this.#multiply(out, x, weight));
  }

  #multiply(out: WasmTensor, x: WasmTensor, weight: WasmTensor): Multiply {
    const { format } = weight;
    if (format in BLOCKS)
      return this.#multiplyBlocks(out, x, weight, BLOCKS[format as keyof typeof BLOCKS]);
    return this.#multiplyNumbers(out, x, weight, NUMBERS[format as keyof typeof NUMBERS]);
  }

  // Arguments of kernels one by one: to spread them would take longer than a small tile.

  #multiplyBlocks(
    out: WasmTensor,
    x: WasmTensor,
    { bank, pointer }: WasmTensor,
    { copy: as, matmul }: (typeof BLOCKS)[keyof typeof BLOCKS],
  ): Multiply {
    const [rows, inner] = x.shape;
    const blocks = blocksOf(inner);
    const copy = this.#copyOf(x, bank, as);
    const { numbers, scales, sums } = copy;
    const multiply = this.#lockStep.enter(bank, [copy], [out]).kernels[matmul];
    return (from, to) => {
      multiply(out.pointer, out.stride, numbers, scales, sums, rows, pointer, blocks, from, to);
    };
  }

  #multiplyNumbers(
    out: WasmTensor,
    x: WasmTensor,
    { bank, pointer }: WasmTensor,
    { copy: as, matmul }: (typeof NUMBERS)[keyof typeof NUMBERS],
  ): Multiply {
    const [rows, inner] = x.shape;
    const copy = as && this.#copyOf(x, bank, as);
    const multiply = this.#lockStep.enter(bank, [copy ?? x], [out]).kernels[matmul];
    const from = copy?.numbers ?? x.pointer;
    const scratch = this.#scratch;
    return (first, end) => {
      multiply(out.pointer, out.stride, from, x.stride, rows, pointer, inner, first, end, scratch);
    };
  }

  /** The copy of `x` in `bank`, made if the one there is not that. */
  #copyOf(x: WasmTensor, bank: number, as: Copier): ActivationCopy {
    const copy = this.#copy;
    if (this.#isCopied(x, bank, as)) return copy;
    const [rows, width] = x.shape;
    const { kernels } = this.#lockStep.enter(bank, [x], [copy], rows);
    copy.bank = bank;
    const { numbers, scales, sums } = copy;
    const [from, to] = this.#lockStep.share(rows);
    kernels[as](numbers, scales, sums, x.pointer, x.stride, width, from, to);
    this.#copied = { of: x, version: x.version, as };
    return copy;
  }

  #isCopied(x: WasmTensor, bank: number, as: Copier): boolean {
    const copied = this.#copied;
    return (
      copied !== undefined &&
      copied.of === x &&
      copied.version === x.version &&
      copied.as === as &&
      this.#copy.bank === bank
    );
  }
}
