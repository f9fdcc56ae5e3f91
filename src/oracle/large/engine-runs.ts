/** Runs of a model that is too large for float64: the WASM engine's, in float32. */
import type { Floats, Tensor } from '../../base/tensor.js';
import { WasmEngine } from '../../engines/wasm/wasm-engine.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import { readTokens } from '../../model/chunks.js';
import type { LlamaConfig } from '../../model/config.js';
import { JoinedTrace, placeRows } from '../../model/joined-trace.js';
import { Llama } from '../../model/llama.js';
import { PAGE_POSITIONS } from '../../model/sequence.js';
import type { Rows } from '../budget/budget.js';
import type { DeclaredType } from '../noise/types.js';
import { type Observed, ourRows } from '../observed/observed.js';

const LOGITS = 'lm_head';

export class EngineRuns {
  readonly #checkpoint: Checkpoint;
  readonly #type: DeclaredType;
  readonly #signal: AbortSignal | undefined;
  /** The engine that ran last. */
  name = '';

  constructor(checkpoint: Checkpoint, type: DeclaredType, signal?: AbortSignal) {
    this.#checkpoint = checkpoint;
    this.#type = type;
    this.#signal = signal;
  }

  /** What a model of that configuration gives of what was observed, with its keys in `cache`. */
  async rows(
    config: LlamaConfig,
    tokens: readonly number[],
    observed: readonly Observed[],
    cache: 'f32' | 'f16' = 'f32',
  ): Promise<Rows> {
    const context = PAGE_POSITIONS * Math.ceil(tokens.length / PAGE_POSITIONS);
    const kept = { ...this.#checkpoint, close: async () => {} };
    const weights = this.#weights();
    const options = { cache, context, wide: 'auto' as const, ...(weights && { weights }) };
    const engine = await WasmEngine.load(config, kept, options);
    this.name = engine.name;
    await using model = new Llama(config, engine);
    return await this.#read(model, tokens, observed); // before it is closed
  }

  async #read(
    model: Llama,
    tokens: readonly number[],
    observed: readonly Observed[],
  ): Promise<Rows> {
    const names = observed.map(({ name }) => name).filter(name => name !== LOGITS);
    const positions = [...new Set(observed.flatMap(({ rows }) => rows.map(r => r.position)))];
    const joined = new JoinedTrace();
    const logits = new Map<number, Floats>();
    const reading = readTokens(model, tokens, {
      wants: index => positions.includes(index),
      signal: this.#signal,
      ...(names.length > 0 && { trace: joined.trace, traceNames: names }),
    });
    for await (const { index, logits: row } of reading) logits.set(index, row.slice());
    const traced = joined.tensors();
    return observed.map(one =>
      ourRows(one, new Map([[one.name, this.#tensor(one, traced, logits)]])),
    );
  }

  /** Rows of the positions that were observed. */
  #tensor(
    { name, rows }: Observed,
    traced: ReadonlyMap<string, Tensor>,
    logits: ReadonlyMap<number, Floats>,
  ): Tensor {
    const wanted = rows.map(({ position }) => position);
    if (name === LOGITS) return stacked(wanted.map(position => logits.get(position) as Floats));
    const tensor = traced.get(name) as Tensor;
    // Only rows with logits have a last norm.
    const has = name === 'model.norm' ? [...logits.keys()] : [...Array(tensor.shape[0]).keys()];
    return placeRows(tensor, has, wanted);
  }

  /** As the file has them wherever that loses nothing. */
  #weights(): 'f32' | 'f16' | 'bf16' | undefined {
    const { weights } = this.#type;
    const dtypes = new Set([...this.#checkpoint.tensors.values()].map(({ dtype }) => dtype));
    const isWide = dtypes.has('F32') || dtypes.has('F64');
    return weights === 'f32' && !isWide ? undefined : weights;
  }
}

function stacked(rows: readonly Floats[]): Tensor {
  const width = rows[0].length;
  const data = new Float32Array(rows.length * width);
  for (const [r, row] of rows.entries()) data.set(row, r * width);
  return { shape: [rows.length, width], data };
}
