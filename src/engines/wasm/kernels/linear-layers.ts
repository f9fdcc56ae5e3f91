/**
 * Products with matrices, in whatever format they are packed. Quantized ones are multiplied with a
 * quantized copy of the activation, which is made once for all the matrices that it meets.
 */
import type { LlamaConfig } from '../../../model/config.js';
import type { Arena, WasmTensor } from '../memory/arena.js';
import { type QuantizedCopy, reserveCopy } from '../memory/quantized-copy.js';
import { blocksOf, TILE } from '../memory/weight-formats.js';
import type { LockStep } from './lock-step.js';

/** The formats that meet a quantized copy of an activation: what makes it, and what reads it. */
const BLOCK_FORMATS = {
  q8_0: { quantize: 'quantize14', matmul: 'matmulQ8' },
  q4_0: { quantize: 'quantize8', matmul: 'matmulQ4' },
  q4_k: { quantize: 'quantize8K', matmul: 'matmulQ4K' },
  q6_k: { quantize: 'quantize8K', matmul: 'matmulQ6K' },
} as const;

type BlockFormat = keyof typeof BLOCK_FORMATS;
type Quantization = (typeof BLOCK_FORMATS)[BlockFormat]['quantize'];

const FLOAT_MATMULS = { f32: 'matmulF32', f16: 'matmulF16', bf16: 'matmulBF16' } as const;

/** Computes tiles `from … to − 1` of a product. */
type Multiply = (from: number, to: number) => void;

export class LinearLayers {
  readonly #config: LlamaConfig;
  readonly #lockStep: LockStep;
  /** Of this thread, in every bank: room for unpacked weights. */
  readonly #scratch: number;
  /** Where the one quantized copy of an activation goes. */
  #copy: QuantizedCopy = { numbers: 0, scales: 0, sums: 0, bank: 0 };
  /** What it is a copy of at the moment, and how it is laid out. */
  #quantized:
    | { readonly of: WasmTensor; readonly version: number; readonly as: Quantization }
    | undefined;

  constructor(config: LlamaConfig, lockStep: LockStep, scratch: number) {
    this.#config = config;
    this.#lockStep = lockStep;
    this.#scratch = scratch;
  }

  /** Before every pass over `rows` rows. */
  begin(arena: Arena, rows: number): void {
    this.#quantized = undefined;
    this.#copy = reserveCopy(arena, this.#config, rows);
  }

  /** out [R, n] = x [R, m] · weightᵀ, for weight [n, m]. */
  matmul(out: WasmTensor, x: WasmTensor, weight: WasmTensor): void {
    this.#lockStep.deal(Math.ceil(weight.shape[0] / TILE), this.#multiply(out, x, weight));
  }

  #multiply(out: WasmTensor, x: WasmTensor, weight: WasmTensor): Multiply {
    const { format } = weight;
    return format in BLOCK_FORMATS
      ? this.#multiplyBlocks(out, x, weight, format as BlockFormat)
      : this.#multiplyFloats(out, x, weight, format as keyof typeof FLOAT_MATMULS);
  }

  // Arguments of kernels one by one: to spread them would take longer than a small tile.

  #multiplyBlocks(
    out: WasmTensor,
    x: WasmTensor,
    { bank, pointer }: WasmTensor,
    format: BlockFormat,
  ): Multiply {
    const [rows, inner] = x.shape;
    const blocks = blocksOf(inner);
    const { quantize, matmul } = BLOCK_FORMATS[format];
    const copy = this.#quantize(x, bank, quantize);
    const { numbers, scales, sums } = copy;
    const multiply = this.#lockStep.enter(bank, [copy], [out]).kernels[matmul];
    const scratch = this.#scratch;
    return (from, to) => {
      multiply(
        out.pointer,
        out.stride,
        numbers,
        scales,
        sums,
        rows,
        pointer,
        blocks,
        from,
        to,
        scratch,
      );
    };
  }

  #multiplyFloats(
    out: WasmTensor,
    x: WasmTensor,
    { bank, pointer }: WasmTensor,
    format: keyof typeof FLOAT_MATMULS,
  ): Multiply {
    const [rows, inner] = x.shape;
    const multiply = this.#lockStep.enter(bank, [x], [out]).kernels[FLOAT_MATMULS[format]];
    const scratch = this.#scratch;
    return (from, to) => {
      multiply(
        out.pointer,
        out.stride,
        x.pointer,
        x.stride,
        rows,
        pointer,
        inner,
        from,
        to,
        scratch,
      );
    };
  }

  /** The quantized copy of `x` in `bank`, made if the one there is not that. */
  #quantize(x: WasmTensor, bank: number, as: Quantization): QuantizedCopy {
    const copy = this.#copy;
    if (this.#isCopied(x, bank, as)) return copy;
    const [rows, width] = x.shape;
    const { kernels } = this.#lockStep.enter(bank, [x], [copy], rows);
    copy.bank = bank;
    const { numbers, scales, sums } = copy;
    const [from, to] = this.#lockStep.share(rows);
    kernels[as](numbers, scales, sums, x.pointer, x.stride, width, from, to);
    this.#quantized = { of: x, version: x.version, as };
    return copy;
  }

  #isCopied(x: WasmTensor, bank: number, as: Quantization): boolean {
    const quantized = this.#quantized;
    return (
      quantized !== undefined &&
      quantized.of === x &&
      quantized.version === x.version &&
      quantized.as === as &&
      this.#copy.bank === bank
    );
  }
}
