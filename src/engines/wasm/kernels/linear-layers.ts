/**
 * Products with matrices, in whatever format they are packed. Quantized ones are multiplied with a
 * quantized copy of the activation, which is made once for all the matrices that it meets.
 */
import type { LlamaConfig } from '../../../model/config.js';
import type { Arena, WasmTensor } from '../memory/arena.js';
import { type QuantizedCopy, reserveCopy } from '../memory/quantized-copy.js';
import { blocksOf, TILE } from '../memory/weight-formats.js';
import type { Build } from './builds.js';
import type { LockStep } from './lock-step.js';

/** How the quantized copy of an activation is laid out, see asm/README.md. */
type Quantization = 'int16' | 'halves' | 'int8' | 'int8 by 256';

/** Computes tiles `from … to − 1` of a product. */
type Multiply = (from: number, to: number) => void;

/**
 * With fewer rows than this the int16 layout is as fast as two 7-bit halves: both wait for memory.
 */
const HALVES_FROM_ROWS = 4;

export class LinearLayers {
  readonly #config: LlamaConfig;
  readonly #lockStep: LockStep;
  readonly #build: Build;
  /** Where the one quantized copy of an activation goes. */
  #copy: QuantizedCopy = { numbers: 0, scales: 0, sums: 0, bank: 0 };
  /** What it is a copy of at the moment, and how it is laid out. */
  #quantized:
    | { readonly of: WasmTensor; readonly version: number; readonly as: Quantization }
    | undefined;

  constructor(config: LlamaConfig, lockStep: LockStep, build: Build) {
    this.#config = config;
    this.#lockStep = lockStep;
    this.#build = build;
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
    switch (weight.format) {
      case 'q4_0':
      case 'q4_k':
      case 'q6_k':
        return this.#multiplyInt8(out, x, weight);
      case 'q8_0':
        return this.#multiplyInt16(out, x, weight);
      default:
        return this.#multiplyFloats(out, x, weight);
    }
  }

  // Arguments of kernels one by one: to spread them would take longer than a small tile.

  #multiplyInt8(out: WasmTensor, x: WasmTensor, { bank, format, pointer }: WasmTensor): Multiply {
    const [rows, inner] = x.shape;
    const blocks = blocksOf(inner);
    const copy = this.#quantize(x, bank, format === 'q4_0' ? 'int8' : 'int8 by 256');
    const { numbers, scales, sums } = copy;
    const { matmulQ4, matmulQ4K, matmulQ6K } = this.#lockStep.enter(bank, [copy], [out]).kernels;
    const multiply = format === 'q4_0' ? matmulQ4 : format === 'q4_k' ? matmulQ4K : matmulQ6K;
    return (from, to) => {
      multiply(out.pointer, out.stride, numbers, scales, sums, rows, pointer, blocks, from, to);
    };
  }

  #multiplyInt16(out: WasmTensor, x: WasmTensor, { bank, pointer }: WasmTensor): Multiply {
    const [rows, inner] = x.shape;
    const blocks = blocksOf(inner);
    const halves = this.#build === 'dot4' && rows >= HALVES_FROM_ROWS;
    const copy = this.#quantize(x, bank, halves ? 'halves' : 'int16');
    const { numbers, scales } = copy;
    const { matmulQ8, matmulQ8Halves } = this.#lockStep.enter(bank, [copy], [out]).kernels;
    const multiply = halves ? matmulQ8Halves : matmulQ8;
    return (from, to) => {
      multiply(out.pointer, out.stride, numbers, scales, rows, pointer, blocks, from, to);
    };
  }

  #multiplyFloats(out: WasmTensor, x: WasmTensor, { bank, format, pointer }: WasmTensor): Multiply {
    const [rows, inner] = x.shape;
    const { matmulF32, matmulF16, matmulBF16 } = this.#lockStep.enter(bank, [x], [out]).kernels;
    const multiply = format === 'f32' ? matmulF32 : format === 'f16' ? matmulF16 : matmulBF16;
    return (from, to) => {
      multiply(out.pointer, out.stride, x.pointer, x.stride, rows, pointer, inner, from, to);
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
    if (as === 'int8')
      kernels.quantize8(numbers, scales, sums, x.pointer, x.stride, width, from, to);
    else if (as === 'int8 by 256') {
      kernels.quantize8K(numbers, scales, sums, x.pointer, x.stride, width, from, to);
    } else if (as === 'halves')
      kernels.quantize14Halves(numbers, scales, x.pointer, x.stride, width, from, to);
    else kernels.quantize14(numbers, scales, x.pointer, x.stride, width, from, to);
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
