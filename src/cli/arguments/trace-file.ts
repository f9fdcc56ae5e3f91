/**
 * `--trace FILE.safetensors`: the intermediate tensors of a text, by the names of
 * `src/model/trace.ts`.
 */
import { stat } from 'node:fs/promises';
import { check, hasCode } from '../../base/errors.js';
import { elementCount, type Tensor } from '../../base/tensor.js';
import { writeFlushed } from '../../convert/written-disk.js';
import { type SafetensorsInput, writeSafetensors } from '../../files/safetensors/writer.js';
import type { LlamaConfig } from '../../model/config.js';
import type { ForwardOptions } from '../../model/engine.js';
import { JoinedTrace } from '../../model/joined-trace.js';
import { selectTensors } from '../../model/trace.js';
import { type Io, note } from '../terminal/io.js';
import type { Options } from './options.js';

/** What was computed, for the header of the file. */
export interface TracedText {
  readonly kernels: string;
  readonly tokens: readonly number[];
  /** Those whose logits were asked for. */
  readonly positions: readonly number[];
}

export class TraceFile {
  /** For `forward`. */
  readonly options: Pick<ForwardOptions, 'trace' | 'traceNames'>;
  readonly #path: string;
  readonly #joined = new JoinedTrace();
  /** Whether stderr is for a person. */
  readonly #tells: boolean;

  /** Undefined without `--trace`. Throws BAD_OPTION if the file is there: none is replaced. */
  static async of(options: Options): Promise<TraceFile | undefined> {
    const path = options.text('trace');
    const names = options.text('names');
    if (path === undefined) {
      const isAlone = names !== undefined;
      check(!isAlone, 'BAD_OPTION', () => '--names is for --trace FILE; give that too');
      return undefined;
    }
    const isThere = (await stat(path).catch(() => undefined)) !== undefined;
    check(!isThere, 'BAD_OPTION', () => `--trace: ${path} is there already; give another name`);
    return new TraceFile(path, names?.split(','), !options.flag('json'));
  }

  private constructor(path: string, traceNames: readonly string[] | undefined, tells: boolean) {
    this.#path = path;
    this.#tells = tells;
    this.options = { trace: this.#joined.trace, traceNames };
  }

  /** Throws BAD_OPTION for a name that the model does not have. */
  checkNames(config: LlamaConfig): void {
    selectTensors(config, this.options.traceNames);
  }

  /**
   * Writes what is traced while `work` runs, when it is done, and also when it ends with
   * NOT_FINITE: then one wants to know where that began.
   */
  async during(io: Io, text: TracedText, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (hasCode(error, 'NOT_FINITE')) await this.#write(io, text);
      throw error;
    }
    await this.#write(io, text);
  }

  async #write(io: Io, { kernels, tokens, positions }: TracedText): Promise<void> {
    const tensors = this.#joined.tensors();
    const asked = [...new Set(positions)].sort((a, b) => a - b);
    const metadata = new Map([
      ['kernels', kernels],
      ['tokens', JSON.stringify(tokens.slice(0, asked[asked.length - 1] + 1))],
      ['positions', JSON.stringify(asked)],
    ]);
    await writeFlushed(this.#path, writeSafetensors([...tensors].map(inputOf), metadata));
    const notFinite = findNotFinite(tensors);
    if (notFinite && this.#tells) note(io, `the first number that is not finite: ${notFinite}`);
  }
}

/** As computed: F32 or F64. */
function inputOf([name, { shape, data }]: [string, Tensor]): SafetensorsInput {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dtype: data instanceof Float64Array ? 'F64' : 'F32', shape, chunks: [bytes] };
}

/** Where the first NaN or infinity is, in the order of computation. */
function findNotFinite(tensors: ReadonlyMap<string, Tensor>): string | undefined {
  for (const [name, { shape, data }] of tensors) {
    const bad = data.findIndex(x => !Number.isFinite(x));
    if (bad === -1) continue;
    const row = Math.floor(bad / elementCount(shape.slice(1)));
    return `${data[bad]} in row ${row} of ${name} [${shape.join(', ')}]`;
  }
  return undefined;
}
