/** Made-up comparisons for reports: what is drawn matters here, not whether it can come to be. */
import fc from 'fast-check';
import { tensorNames } from '../../../src/model/trace.js';
import type {
  Comparison,
  Finding,
  RowError,
  TensorResult,
  Verdict,
} from '../../../src/oracle/result.js';

const POSITIONS = Array.from({ length: 640 }, (_, position) => position);
const NAMES = tensorNames({ numHiddenLayers: 2 });

/** From 0 to 1, the same for the same `seed`. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return x - Math.floor(x);
}

/** What rounding may do at a position: more at later ones, and in later tensors. */
const budgetAt = (position: number, place: number) =>
  2e-7 * (1 + place / 4) * (1 + Math.sqrt(position) / 8);

const honest = (position: number, place: number) =>
  budgetAt(position, place) * (0.15 + 0.5 * noise(position * 31 + place * 977));

/** What rotating eight times as fast does: nothing at position 0, everything soon. */
const rotatedTooFast = (position: number) =>
  0.9 * Math.min(1, position / 90) * (0.8 + 0.2 * noise(position));

export function rowsOf(
  positions: readonly number[],
  place: number,
  errorAt: (position: number, place: number) => number,
): RowError[] {
  return positions.map(position => {
    const [error, budget] = [errorAt(position, place), budgetAt(position, place)];
    return { position, error, budget, ratio: error / budget };
  });
}

export function tensorOf(
  name: string,
  rows: readonly RowError[],
  verdict: Verdict = rows.some(({ ratio }) => ratio > 1) ? 'WRONG' : 'WITHIN_BUDGET',
): TensorResult {
  const farthest = rows.toSorted((a, b) => b.ratio - a.ratio)[0];
  const ours = 0.123456789;
  return {
    ...{ name, verdict, rows },
    maxRatio: farthest.ratio,
    worst: { row: farthest.position, column: 12, ours, theirs: ours - 3 * farthest.error },
    relL2: farthest.error / 2,
    normRatio: 1 - farthest.error / 10,
  };
}

/** A comparison that conforms, of nothing. */
export function comparison(changes: Partial<Comparison> = {}): Comparison {
  return {
    verdict: 'WITHIN_BUDGET',
    engine: 'exact-f64',
    type: 'f32',
    model: 'golden/conformance/toy',
    tokens: 640,
    firstDivergence: null,
    ...{ tensors: [], forced: [], diagnosis: [], diagnosisNotes: [], flips: [], notes: [] },
    falseAlarmRate: 0.001,
    samples: 24,
    seconds: 3.21,
    ...changes,
  };
}

/** Everything given, and everything right. */
export const conforming = (): Comparison =>
  comparison({
    tensors: NAMES.map((name, place) => tensorOf(name, rowsOf(POSITIONS, place, honest))),
    forced: NAMES.map((name, place) => tensorOf(name, rowsOf(POSITIONS, place / 9, honest))),
  });

export function finding(changes: Partial<Finding> = {}): Finding {
  return {
    id: 'rope.factor-ignored',
    name: 'The factor of linear scaling is ignored',
    variant: '',
    explains: 0.99997,
    isComplete: true,
    evidence:
      'queries and keys of both layers are rotated eight times as far as their positions ask ' +
      'for, and everything else follows from that',
    fix: 'divide the position by rope_scaling.factor, 8 here, before the angle is computed',
    references: [
      'https://github.com/vllm-project/vllm/issues/831',
      'https://github.com/ggml-org/llama.cpp/pull/2530',
    ],
    indistinguishableFrom: [],
    curve: POSITIONS.map(position => ({ position, error: 0.3 * rotatedTooFast(position) })),
    ...changes,
  };
}

const FLIPS = [
  { position: 17, ours: 263, theirs: 13, margin: 0.41 },
  { position: 18, ours: 29_871, theirs: 278, margin: 2.3e-4 },
];

const isRotated = (name: string) => name.endsWith('_rotated');
const isAfterRotation = (place: number) => place >= NAMES.findIndex(isRotated);
const isProjection = (name: string) => name.startsWith('model.layers.0.self_attn.v_proj');

/** Rotated too fast: right at position 0, and before anything is rotated. */
export function wrongRotation(changes: Partial<Comparison> = {}): Comparison {
  const tensors = NAMES.map((name, place) => {
    const strength = isRotated(name) ? 1 : 0.3;
    const isWrong = isAfterRotation(place) && !isProjection(name);
    const errorAt = (position: number) =>
      honest(position, place) + (isWrong ? strength * rotatedTooFast(position) : 0);
    return tensorOf(name, rowsOf(POSITIONS, place, errorAt));
  });
  const forced = NAMES.map((name, place) => {
    const errorAt = (position: number) =>
      honest(position, place / 9) + (isRotated(name) ? rotatedTooFast(position) : 0);
    return tensorOf(name, rowsOf(POSITIONS, place / 9, errorAt));
  });
  const tensor = 'model.layers.0.self_attn.q_rotated';
  const { error, budget } = tensors.find(({ name }) => name === tensor)!.rows[1];
  return comparison({
    ...{ verdict: 'WRONG', tensors, forced },
    firstDivergence: { tensor, position: 1, error, budget },
    diagnosis: [finding()],
    flips: FLIPS,
    ...changes,
  });
}

/** A server's logits at 64 positions of the longest text, from the middle on not right. */
export function logitsOnly(): Comparison {
  const positions = Array.from({ length: 64 }, (_, i) => 512 * (i + 1) - 1);
  const errorAt = (position: number, place: number) =>
    honest(position, place) * (position < 16_384 ? 1 : (position / 16_384) ** 8);
  const logits = tensorOf('lm_head', rowsOf(positions, 30, errorAt), 'DRIFT');
  const first = logits.rows.find(({ ratio }) => ratio > 1)!;
  return comparison({
    ...{ verdict: 'DRIFT', model: 'golden/conformance/long', tokens: 32_768 },
    firstDivergence: {
      tensor: 'lm_head',
      position: first.position,
      error: first.error,
      budget: first.budget,
    },
    ...{ tensors: [logits], forced: [] },
    diagnosis: [
      finding({
        id: 'rope.angles-16bit',
        name: 'Angles are rounded to 16 bits',
        variant: 'f16',
        explains: 0.871,
        isComplete: false,
        evidence: 'the error grows with the position, as that of a rounded angle does',
        fix: 'compute position · frequency in float32, also if the model runs in 16 bits',
        references: ['https://github.com/huggingface/transformers/pull/29285'],
        indistinguishableFrom: ['rope.frequencies-bf16'],
        curve: positions.map(position => ({ position, error: 0.8 * errorAt(position, 30) })),
      }),
      finding({
        id: 'rope.frequencies-bf16',
        name: 'Frequencies are rounded to bf16',
        explains: 0.868,
        isComplete: false,
        curve: [],
      }),
    ],
    diagnosisNotes: ['model.layers.0.self_attn.q_rotated would tell the two apart'],
    notes: ['no intermediate tensors were given, so that only the logits are judged'],
  });
}

/** What others wrote, in every text that a comparison has. */
export function written(text: string): Comparison {
  const rows = [rowAt(0, 0.5), rowAt(1, 7)];
  const tensors = [tensorOf(text, rows), tensorOf('lm_head', rows)];
  return comparison({
    ...{ verdict: 'WRONG', engine: text, type: text, model: text, tensors, forced: tensors },
    firstDivergence: { tensor: text, position: 1, error: 7e-6, budget: 1e-6 },
    diagnosis: [
      finding({
        ...{ id: text, name: text, variant: text, evidence: text, fix: text },
        references: [text, `https://example.org/${text}`],
        indistinguishableFrom: [text],
        curve: [{ position: 1, error: 7e-6 }],
      }),
    ],
    ...{ diagnosisNotes: [text], notes: [text], flips: FLIPS },
  });
}

export const rowAt = (position: number, ratio: number): RowError => {
  return { position, ratio, budget: 1e-6, error: 1e-6 * ratio };
};

/** Markup, half characters, what terminals obey, and what XML may not have. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '<script>alert(1)</script>',
    `" onload="x" ' > & &amp; ]]> <!-- <b>`,
    '\0\x1b[2J\x1b]0;title\x07\u009b31m\x7f\r\n\t',
    '\ud800 \udc00 \ufffe\uffff',
    '😀 θ |*_`[x](y)~ 👩‍💻',
  ),
);
