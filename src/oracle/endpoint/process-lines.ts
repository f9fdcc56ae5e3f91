/** What a program writes that is asked by lines of JSON: see `process.ts`. */
import { check, LlamaError, show } from '../../base/errors.js';
import { parseJson } from '../../base/json.js';
import type { Asked, AskedLogits } from './asked.js';
import { Collector } from './collector.js';
import { at, listAt, numberAt, textAt } from './json-path.js';
import { logitsTensor, numberOfJson, rowOfJson } from './logits.js';

type Result = Omit<Asked, 'engine' | 'tokens'> | Omit<AskedLogits, 'engine' | 'tokens'>;

export class ProcessLines {
  readonly #program: string;
  readonly #positions: readonly number[];
  readonly #rows: Float64Array[] = [];
  readonly #collector = new Collector(() => undefined);
  readonly #scored = new Set<number>();

  /** @param positions that are asked about, ascending */
  constructor(program: string, positions: readonly number[]) {
    this.#program = program;
    this.#positions = positions;
  }

  /** For how many positions it has answered. */
  get done(): number {
    return this.#rows.length + this.#scored.size;
  }

  /** @throws {LlamaError} ENDPOINT_FAILED for what is no answer */
  take(line: string): void {
    if (line.trim() === '') return;
    const value = parseLine(line, this.#program);
    const error = textAt(value, 'error');
    if (error !== undefined) throw this.#failed(`says: ${error}; ask it something else`);
    const rows = listAt(value, 'logits');
    const top = listAt(value, 'top');
    if ((rows === undefined) === (top === undefined))
      throw this.#failed(`wrote ${show(value)}; a line must have either logits or top`);
    for (const row of rows ?? []) this.#rows.push(rowOfJson(row, this.#program));
    for (const entry of top ?? []) this.#addScores(entry);
    const isOfBoth = this.#rows.length > 0 && this.#scored.size > 0;
    check(!isOfBoth && this.done <= this.#positions.length, 'ENDPOINT_FAILED', () => {
      return (
        `${this.#program} gave ${this.#rows.length} rows of logits and ${this.#scored.size} of ` +
        `scores for ${this.#positions.length} positions; give one of one kind for each`
      );
    });
  }

  /** What it has told in all. */
  result(): Result {
    const positions = this.#positions;
    if (this.#rows.length === 0)
      return { scores: this.#collector.scores(positions), notes: this.#collector.notes() };
    const logits = logitsTensor(this.#rows, positions.length, this.#program);
    return { positions, logits, notes: [] };
  }

  #addScores(entry: unknown): void {
    const position = numberAt(entry, 'position');
    const logprobs = Object.entries(at(entry, 'logprobs') ?? {});
    const isAsked = position !== undefined && this.#positions.includes(position);
    if (!isAsked || logprobs.length === 0)
      throw this.#failed(`wrote ${show(entry)} in top; give an asked position, and logprobs`);
    this.#scored.add(position);
    for (const [id, logprob] of logprobs)
      this.#collector.add(position, Number(id), numberOfJson(logprob, this.#program));
  }

  #failed(what: string): LlamaError {
    return new LlamaError('ENDPOINT_FAILED', `${this.#program} ${what}`);
  }
}

function parseLine(line: string, program: string): unknown {
  try {
    return parseJson(line, `a line of ${program}`, 'ENDPOINT_FAILED');
  } catch (error) {
    const { message } = error as Error;
    throw new LlamaError(
      'ENDPOINT_FAILED',
      `${message}: ${show(line)}; write lines of JSON to stdout, with null for NaN, and all else ` +
        'to stderr',
    );
  }
}
