/**
 * The oracle: is what they computed this model, and if not, from where on, and why.
 *
 * Truth is the model in float64. What it may differ by is measured (`budget/`), in *free* mode from
 * the tokens alone, and in *forced* mode, where each of our operations has their inputs, so that
 * only the one that is wrong is accused. The verdict is that of free mode: it says whether it
 * matters. What differs by more is looked for among the bugs that people had (`diagnosis/`). What
 * is too large for that: `large/`.
 */
import type { Case, CompareOptions } from '../case.js';
import type { Judged } from '../diagnosis/judged.js';
import { compareLarge } from '../large/compare-large.js';
import { isLarge } from '../large/sensitivity.js';
import type { Comparison, Divergence, TensorResult } from '../result.js';
import { flipsOf } from '../verdict/flips.js';
import { worstOf } from '../verdict/worst-of.js';
import { compareExactly } from './compare-exactly.js';

export async function compare(given: Case, options: CompareOptions): Promise<Comparison> {
  const began = performance.now();
  const { model, config, checkpoint, type, tokens, notes } = given;
  const { truth = 'auto' } = options;
  const isTooLarge = truth === 'auto' && isLarge(checkpoint, config, tokens.length);
  const judged =
    truth === 'engine' || isTooLarge
      ? await compareLarge(given, options)
      : await compareExactly(given, options);
  const flips = flipsAmong(given, judged);
  return {
    verdict: flips.length > 0 ? worstOf([judged.verdict, 'TIE_FLIP']) : judged.verdict,
    engine: judged.engine,
    type: type.name,
    model,
    tokens: tokens.length,
    firstDivergence: firstDivergence(judged.tensors),
    tensors: judged.tensors,
    forced: judged.forced,
    diagnosis: judged.diagnosis.findings,
    diagnosisNotes: judged.diagnosis.notes,
    flips,
    notes: [...notes, ...judged.notes],
    falseAlarmRate: judged.falseAlarmRate,
    samples: judged.samples,
    seconds: (performance.now() - began) / 1000,
  };
}

/** At the first position that differs, the first tensor that does. */
function firstDivergence(tensors: readonly TensorResult[]): Divergence | null {
  let first: Divergence | null = null;
  for (const { name, rows } of tensors) {
    for (const { position, error, budget, ratio } of rows) {
      if (ratio <= 1 || (first !== null && first.position <= position)) continue;
      first = { tensor: name, position, error, budget };
    }
  }
  return first;
}

function flipsAmong({ observed }: Case, { truth }: Judged): Comparison['flips'] {
  const logits = observed.findIndex(({ name }) => name === 'lm_head');
  return logits < 0 ? [] : flipsOf(observed[logits], truth[logits]);
}
