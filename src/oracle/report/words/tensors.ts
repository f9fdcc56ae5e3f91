/** Tensors by the names of `src/model/trace.ts`, and which of them a report speaks of. */
import {
  type Comparison,
  conforms,
  type Finding,
  type TensorResult,
  VERDICTS,
} from '../../result.js';

/** Of a layer and its kind of tensor; the output of a layer has no kind of its own. */
const IN_LAYER = /^model\.layers\.(\d+)(?:\.(?:.*\.)?([^.]+))?$/;

export interface Place {
  /** Undefined before and behind the layers. */
  readonly layer: number | undefined;
  readonly kind: string;
}

/** `model.layers.3.self_attn.q_proj` is q_proj of layer 3. */
export function placeOf(name: string): Place {
  const found = IN_LAYER.exec(name);
  if (found === null) return { layer: undefined, kind: name };
  return { layer: Number(found[1]), kind: found[2] ?? 'output' };
}

const OUTSIDE: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'the embeddings',
  'model.norm': 'the last norm',
  lm_head: 'the logits',
};

/** The tensor's name as one says it: "layer 0's q_rotated". */
export function spoken(name: string): string {
  const { layer, kind } = placeOf(name);
  if (layer !== undefined) return `layer ${layer}'s ${kind}`;
  return Object.hasOwn(OUTSIDE, name) ? OUTSIDE[name] : name;
}

/** Whether one row or tensor has this much more than it may: also if it is no number. */
export const isBeyond = (ratio: number): boolean => !(ratio <= 1);

/** The tensor in which they diverge first, as it is in the mode in which it does. */
export function divergedTensor(comparison: Comparison): TensorResult | undefined {
  const { firstDivergence, tensors, forced } = comparison;
  const ofThatName = [...tensors, ...forced].filter(({ name }) => name === firstDivergence?.tensor);
  return ofThatName.find(({ verdict }) => !conforms(verdict)) ?? ofThatName.at(0);
}

/** The one with the worst verdict, and of several the farthest beyond its budget. */
export function worstTensor(tensors: readonly TensorResult[]): TensorResult | undefined {
  return tensors.toSorted((a, b) => badness(b) - badness(a)).at(0);
}

/** Verdicts count first; a ratio that is no number, or infinite, is the largest. */
function badness({ verdict, maxRatio }: TensorResult): number {
  const part = Number.isFinite(maxRatio) ? maxRatio / (1 + maxRatio) : 1;
  return VERDICTS.indexOf(verdict) + part / 2;
}

/**
 * The tensor whose errors are drawn against the position, and over which a finding's curve goes:
 * what they came to, the logits if there are any.
 */
export function curveOf({ tensors }: Pick<Comparison, 'tensors'>): TensorResult | undefined {
  return tensors.find(({ name }) => name === 'lm_head') ?? tensors.at(-1);
}

/** The likeliest bug that has a curve. */
export const findingWithCurve = ({ diagnosis }: Comparison): Finding | undefined =>
  diagnosis.find(({ curve }) => curve.length > 0);

/** Names of both modes, in the order of computation. */
export function tensorNamesOf({ tensors, forced }: Comparison): string[] {
  return [...new Set([...tensors, ...forced].map(({ name }) => name))];
}
