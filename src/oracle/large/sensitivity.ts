/**
 * Budgets of a model that is too large for float64 and for a dozen arithmetics.
 *
 * How much a model makes of a rounding can be measured with two runs: once with keys and values in
 * float32, once rounded to f16. What honest arithmetic in a type makes is that, times a factor. On
 * four models, whose responses are from 2e-4 to 5e-2, budgets for the logits that were measured in
 * float64 (`budget/`) are the response times
 *
 *   | type          | stories260k | toy of the pack | tiny-32k | SmolLM2-135M | taken |
 *   |---------------|-------------|-----------------|----------|--------------|-------|
 *   | f32           | 0.011       | 0.012           | 0.010    | 0.08         | 0.1   |
 *   | f16           | 12          | 12              | 5        |              | 20    |
 *   | bf16          | 200         | 83              | 27       | 720          | 1,000 |
 *   | 8-bit blocks  | 240         |                 | 17       |              | 500   |
 *
 * So they are wide, and no rate of false alarms is known.
 */
import type { Floats } from '../../base/tensor.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Budgets, Rows } from '../budget/budget.js';
import { unitOf } from '../budget/runs.js';
import type { DeclaredType } from '../noise/types.js';
import type { Observed } from '../observed/observed.js';
import { distance, size } from '../observed/row-error.js';
import type { EngineRuns } from './engine-runs.js';

const FACTORS: Readonly<Record<string, number>> = { f32: 0.1, f16: 20, bf16: 1000 };
const FACTOR_OF_BLOCKS = 500;
/** Where nothing was rounded yet, what storing does, so many times. */
const UNITS = 8;
/** Of the beginning of the text. */
const MEASURED_TOKENS = 64;

/** What a row differs by, as a part of the row. */
interface Response {
  readonly rms: number;
  readonly largest: number;
}

/** The largest response of the rows of each tensor at the beginning of the text. */
export async function measureResponses(
  runs: EngineRuns,
  config: LlamaConfig,
  tokens: readonly number[],
  observed: readonly Observed[],
): Promise<Response[]> {
  const beginning = tokens.slice(0, MEASURED_TOKENS);
  const nothing = new Float64Array(0);
  const all = observed.map(one => ({
    ...one,
    rows: beginning.map((_, position) => ({ position, theirs: nothing })),
  }));
  const exact = await runs.rows(config, beginning, all, 'f32');
  const rounded = await runs.rows(config, beginning, all, 'f16');
  return exact.map((rows, t) => largest(rows.map((row, r) => response(row, rounded[t][r]))));
}

function response(row: Floats, other: Floats): Response {
  const away = distance(other, row);
  const own = size(row);
  return { rms: away.rms / own.rms, largest: away.largest / own.largest };
}

const largest = (responses: readonly Response[]): Response => ({
  rms: Math.max(...responses.map(({ rms }) => rms)),
  largest: Math.max(...responses.map(({ largest }) => largest)),
});

export function budgetsOf(
  truth: Rows,
  responses: readonly Response[],
  type: DeclaredType,
): Budgets {
  const factor = FACTORS[type.name] ?? FACTOR_OF_BLOCKS;
  const floor = UNITS * unitOf(type);
  return truth.map((rows, t) =>
    rows.map(row => {
      const own = size(row);
      return {
        rms: own.rms * Math.max(floor, factor * responses[t].rms),
        largest: own.largest * Math.max(floor, factor * responses[t].largest),
      };
    }),
  );
}

/** Products that float64 may take for one run: some 15 seconds. */
const MOST_PRODUCTS = 1.5e10;

/** Whether a dozen runs of so long a text in float64 would take too long. */
export function isLarge(
  { tensors }: Checkpoint,
  { numHiddenLayers, numAttentionHeads, headDim }: LlamaConfig,
  tokens: number,
): boolean {
  let weights = 0;
  for (const { shape } of tensors.values()) if (shape.length === 2) weights += shape[0] * shape[1];
  const attention = numHiddenLayers * numAttentionHeads * headDim * tokens;
  return tokens * (weights + attention) > MOST_PRODUCTS;
}
