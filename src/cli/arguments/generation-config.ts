/**
 * What generation_config.json says about sampling and length. Hugging Face's `generate()` follows
 * it; here only the command line counts, so that the same command means the same for every model.
 * The person at the terminal is told the difference.
 */
import { show } from '../../base/errors.js';
import type { LoadedModel } from '../../load/model.js';
import { NEUTRAL as OUR_NEUTRAL } from '../../text/sampling/hugging-face.js';
import { type Io, note } from '../terminal/io.js';
import { GENERATION_OPTIONS } from './generation.js';
import type { Options } from './options.js';

/** With `do_sample` only: transformers does not look at them otherwise. */
const SAMPLING = [
  'temperature',
  'top_k',
  'top_p',
  'min_p',
  'top_h',
  'typical_p',
  'epsilon_cutoff',
  'eta_cutoff',
];

/** Those that count when decoding is greedy too. `do_sample` itself is one. */
const ALWAYS = [
  'repetition_penalty',
  'max_length',
  'max_new_tokens',
  'min_length',
  'min_new_tokens',
  'max_time',
  'stop_strings',
  'num_beams',
  'no_repeat_ngram_size',
  'guidance_scale',
  'penalty_alpha',
  'sequence_bias',
  'bad_words_ids',
  'suppress_tokens',
  'begin_suppress_tokens',
  'forced_bos_token_id',
  'forced_eos_token_id',
  'exponential_decay_length_penalty',
  'watermarking_config',
];

/** The values with which nothing changes, of those that have one; also of what is not ours. */
const NEUTRAL: Readonly<Record<string, unknown>> = {
  ...OUR_NEUTRAL,
  epsilon_cutoff: 0,
  eta_cutoff: 0,
  num_beams: 1,
  guidance_scale: 1,
  penalty_alpha: 0,
};

/** Their keys. */
const FLAGS = GENERATION_OPTIONS.map(({ name }) => name.replaceAll('-', '_'));
const flagOfKey = (key: string): string => key.replaceAll('_', '-');

/** Tells stderr, unless --json is given. */
export function noteUnusedSettings(
  io: Io,
  options: Options,
  { generationConfig }: Pick<LoadedModel, 'generationConfig'>,
): void {
  if (generationConfig === undefined || options.flag('json')) return;
  const text = unusedSettings(generationConfig, options);
  if (text !== undefined) note(io, text);
}

/**
 * One sentence that names what transformers would do and we do not, and how to ask for it;
 * undefined if there is nothing.
 */
function unusedSettings(
  config: Readonly<Record<string, unknown>>,
  options: Options,
): string | undefined {
  const temperature = options.number('temperature');
  const isSampling = temperature === undefined ? config.do_sample === true : temperature > 0;
  const hasLimit = ['max-length', 'max-new-tokens'].some(name => options.text(name) !== undefined);
  const isDecided = (key: string) =>
    FLAGS.includes(key) &&
    (options.text(flagOfKey(key)) !== undefined || (key.startsWith('max_') && hasLimit));

  const looked = [...(isSampling ? SAMPLING : []), ...ALWAYS];
  const unused = looked
    .map(key => ({ key, value: config[key] ?? undefined }))
    .filter(({ key, value }) => value !== undefined && value !== NEUTRAL[key] && !isDecided(key));
  const settings = unused.map(({ key, value }) => `${key} ${show(value)}`);
  const flags = unused
    .filter(({ key }) => FLAGS.includes(key))
    .flatMap(({ key, value }) => flagsFor(flagOfKey(key), value));
  if (isSampling && temperature === undefined) {
    settings.unshift('do_sample true');
    if (!flags.some(flag => flag.startsWith('--temperature'))) flags.unshift('--temperature 1');
  }
  if (settings.length === 0) return undefined;
  const advice = flags.length === 0 ? '' : `; give ${flags.join(' ')}`;
  return `generation_config.json says ${settings.join(', ')}: not used${advice}`;
}

/** What to write for a number, or for each of several lists of ids. */
function flagsFor(flag: string, value: unknown): string[] {
  if (typeof value === 'number') return [`--${flag} ${value}`];
  return Array.isArray(value) && value.every(Array.isArray)
    ? value.map(list => `--${flag} ${list.join()}`)
    : [];
}
