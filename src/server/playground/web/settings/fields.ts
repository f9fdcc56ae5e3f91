/** What can be set of an answer: one table, of which the form and the request are made. */

export interface Field {
  /** As the request has it. */
  readonly name: string;
  readonly label: string;
  /** What it does, in a sentence. */
  readonly help: string;
  readonly min: number;
  readonly max?: number;
  readonly step: number;
  /** Undefined leaves it to the server. */
  readonly initial?: number;
  /** Shown with a slider, up to this. */
  readonly slider?: number;
}

/** The numbers with which the model's authors sampled, but for the penalty: 1 changes nothing. */
export const FIELDS = [
  {
    name: 'temperature',
    label: 'Temperature',
    help: '0 takes the likeliest token; higher draws more freely.',
    min: 0,
    max: 2,
    step: 0.05,
    initial: 0.7,
    slider: 2,
  },
  {
    name: 'top_p',
    label: 'Top-p',
    help: 'Draws from the likeliest tokens that have this probability together.',
    min: 0,
    max: 1,
    step: 0.01,
    initial: 0.7,
    slider: 1,
  },
  {
    name: 'top_k',
    label: 'Top-k',
    help: 'Draws from so many of the likeliest tokens; 0 is all.',
    min: 0,
    step: 1,
    initial: 50,
  },
  {
    name: 'repetition_penalty',
    label: 'Repetition penalty',
    help: 'Above 1 makes tokens that were there already less likely.',
    min: 0.05,
    step: 0.05,
    initial: 1,
    slider: 2,
  },
  {
    name: 'seed',
    label: 'Seed',
    help: 'The same seed draws the same answer. Empty: another one each time.',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    step: 1,
  },
  {
    name: 'max_tokens',
    label: 'Max tokens',
    help: 'The answer ends after so many. Empty: where the model ends it.',
    min: 1,
    step: 1,
  },
] as const satisfies readonly Field[];

export type FieldName = (typeof FIELDS)[number]['name'];

/** Values of the fields, by name; without one the server decides. */
export type Values = Readonly<Partial<Record<FieldName, number>>>;

export interface Settings {
  readonly system: string;
  readonly values: Values;
}

export const INITIAL: Settings = {
  system: '',
  values: Object.fromEntries(
    FIELDS.flatMap(field => ('initial' in field ? [[field.name, field.initial]] : [])),
  ),
};

/** Why `value` cannot be sent; undefined if it can. */
export function whyNot({ label, min, max = Infinity, step }: Field, value: number) {
  if (!Number.isFinite(value)) return `${label} must be a number`;
  if (step === 1 && !Number.isInteger(value)) return `${label} must be a whole number`;
  if (value >= min && value <= max) return undefined;
  return max === Infinity
    ? `${label} must be at least ${min}`
    : `${label} must be from ${min} to ${max}`;
}

/** Settings that were kept, as far as they are sound; the others are as in the beginning. */
export function readSettings(kept: unknown): Settings {
  if (typeof kept !== 'object' || kept === null) return INITIAL;
  const { system, values } = kept as Record<string, unknown>;
  if (typeof values !== 'object' || values === null) return INITIAL;
  const given = values as Record<string, unknown>;
  const sound = FIELDS.flatMap(field => {
    const value = given[field.name];
    return typeof value === 'number' && whyNot(field, value) === undefined
      ? [[field.name, value]]
      : [];
  });
  return { system: typeof system === 'string' ? system : '', values: Object.fromEntries(sound) };
}
