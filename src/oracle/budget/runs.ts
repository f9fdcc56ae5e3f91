/** The runs that a comparison takes: of the model, of what honest arithmetic does, and of bugs. */
import type { Floats } from '../../base/tensor.js';
import { noisy } from '../noise/noisy.js';
import type { Subject } from '../noise/subject.js';
import type { DeclaredType } from '../noise/types.js';
import { type Observed, ourRows, wantedOf } from '../observed/observed.js';
import { type RunOptions, run } from '../run/run.js';
import type { Setup } from '../run/setup.js';
import { type Budgets, measureBudgets, type Rows } from './budget.js';

/** What was observed of a text. */
export interface Observation {
  readonly tokens: readonly number[];
  readonly observed: readonly Observed[];
}

/** The truth, and how far from it one may be. */
export interface Measured {
  readonly truth: Rows;
  readonly budgets: Budgets;
}

export interface Drawing {
  /** In whose arithmetics budgets are measured; the weights are rounded by the subject. */
  readonly type: DeclaredType;
  readonly samples: number;
  readonly falseAlarmRate: number;
  /** The first of the seeds, which follow each other. */
  readonly seed: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

type Force = RunOptions['force'];

/** Half a unit in the last place of 1. */
const EPSILON = { f32: 2 ** -24, f16: 2 ** -11, bf16: 2 ** -8 };

/** How much is rounded off by storing in a type. */
export const unitOf = ({ store }: DeclaredType): number => EPSILON[store];

export class Runs {
  readonly #subject: Subject;
  readonly #observation: Observation;
  readonly #signal: AbortSignal | undefined;

  constructor(subject: Subject, observation: Observation, signal?: AbortSignal) {
    this.#subject = subject;
    this.#observation = observation;
    this.#signal = signal;
  }

  /** The model and the text as they are. */
  setup(): Setup {
    return this.#subject.setup(this.#observation.tokens);
  }

  /** What `setup` gives of what was observed. */
  async rows(setup: Setup, force?: Force): Promise<Rows> {
    const { observed } = this.#observation;
    const traced = await run(setup, wantedOf(observed), { signal: this.#signal, force });
    return observed.map((one): Floats[] => ourRows(one, traced));
  }

  /** `truth` if others than this subject's own numbers are to be judged by. */
  async measure(drawing: Drawing, force?: Force, truth?: Rows): Promise<Measured> {
    const { type, falseAlarmRate } = drawing;
    const own = truth ?? (await this.rows(this.setup(), force));
    const drawn = await this.draw(drawing, force);
    return { truth: own, budgets: measureBudgets(own, drawn, unitOf(type), falseAlarmRate) };
  }

  /** What honest arithmetics in `type` give. */
  async draw({ type, samples, seed, onProgress }: Drawing, force?: Force): Promise<Rows[]> {
    const drawn: Rows[] = [];
    for (let s = 0; s < samples; s++) {
      drawn.push(await this.rows(noisy(this.setup(), type, seed + s), force));
      onProgress?.(s + 1, samples);
    }
    return drawn;
  }
}
