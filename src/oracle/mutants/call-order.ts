/**
 * What an operation is computed for. Kernels are not told; but `block.ts` and `forward.ts` call
 * them in an order that is always the same.
 */
import type { Tensor } from '../../base/tensor.js';
import type { Kernels } from '../../model/kernels.js';
import { override } from '../run/run.js';

const MATMULS_PER_LAYER = 7;

/** Holds from the call of an operation to that of the next. */
export class CallOrder {
  readonly #layers: number;
  /** Calls of this pass before the one at hand. */
  #matmuls = -1;
  #norms = -1;
  #rotations = -1;
  #sums = -1;
  /** What the tokens' embeddings were written to. */
  #residual: Tensor | undefined;
  #isOfTokens = false;

  constructor(layers: number) {
    this.#layers = layers;
  }

  /** `embedding`: of the tokens, and not of the rows whose logits are wanted. */
  get isOfTokens(): boolean {
    return this.#isOfTokens;
  }

  /** `rope`: of queries, and not of keys. */
  get isQuery(): boolean {
    return this.#rotations % 2 === 0;
  }

  /** `rmsnorm`: before attention, before the MLP, or before the head. */
  get norm(): 'input' | 'postAttention' | 'final' {
    if (this.#norms === 2 * this.#layers) return 'final';
    return this.#norms % 2 === 0 ? 'input' : 'postAttention';
  }

  /** `add`: of what attention gave, and not of what the MLP gave. */
  get isAttention(): boolean {
    return this.#sums % 2 === 0;
  }

  /** `matmul`: with the head, which gives logits. */
  get isHead(): boolean {
    return this.#matmuls === MATMULS_PER_LAYER * this.#layers;
  }

  /** The same kernels, whose calls are counted. */
  follow(kernels: Kernels<Tensor>): Kernels<Tensor> {
    return override(kernels, {
      embedding: (out, table, indices) => {
        this.#isOfTokens = table !== this.#residual;
        this.#residual = out;
        kernels.embedding(out, table, indices);
      },
      ropeTable: (...args) => {
        this.#beginPass();
        kernels.ropeTable(...args);
      },
      matmul: (...args) => {
        this.#matmuls++;
        return kernels.matmul(...args);
      },
      rmsnorm: (...args) => {
        this.#norms++;
        kernels.rmsnorm(...args);
      },
      rope: (...args) => {
        this.#rotations++;
        kernels.rope(...args);
      },
      add: (...args) => {
        this.#sums++;
        kernels.add(...args);
      },
    });
  }

  /** Once in a pass the angles' table is made, before all that is counted. */
  #beginPass(): void {
    this.#matmuls = -1;
    this.#norms = -1;
    this.#rotations = -1;
    this.#sums = -1;
  }
}
