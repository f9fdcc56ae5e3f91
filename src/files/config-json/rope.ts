/**
 * Base and scaling of the rotary embedding in config.json, in all spellings that transformers
 * reads: `rope_theta` and `rope_scaling` of version 4, `rope_parameters` of version 5. Where the
 * two versions would compute different numbers from the same file, it is refused.
 */

import { check, show } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import type { RopeScaling } from '../../ops/rope-scaling/rope-scaling.js';
import { agree, type Fields, orDefault, positive, size } from '../config-fields.js';
import { ROPE_KEYS } from './keys.js';

interface Rope {
  readonly scaling: RopeScaling | undefined;
  readonly theta: number | undefined;
}

/**
 * @param note is told what is there and changes nothing
 * @throws {LlamaError} BAD_CONFIG or UNSUPPORTED.
 */
export function parseRope(
  json: Fields,
  note: (text: string) => void,
): { ropeTheta: number; ropeScaling: RopeScaling | undefined } {
  const [old, parameters] = ['rope_scaling', 'rope_parameters'].map(key =>
    parseRopeObject(json, key, note),
  );
  const theta = json.rope_theta === undefined ? undefined : positive(json, 'rope_theta');
  const ropeTheta = agree('rope_theta', [theta, old?.theta, parameters?.theta]) ?? 10000;
  checkSame(old, parameters);
  const ropeScaling = (old ?? parameters)?.scaling;
  checkCondenseRatio(json, ropeScaling);
  return { ropeTheta, ropeScaling };
}

/** Where both are given. */
function checkSame(old: Rope | undefined, parameters: Rope | undefined): void {
  const isSame =
    old === undefined ||
    parameters === undefined ||
    describe(old.scaling) === describe(parameters.scaling);
  check(
    isSame,
    'BAD_CONFIG',
    () =>
      `the scaling of the rotary embedding is ${describe(old?.scaling)} in rope_scaling and ` +
      `${describe(parameters?.scaling)} in rope_parameters; say the same in both, or delete one`,
  );
}

/** Its keys always come in the same order. */
const describe = (scaling: RopeScaling | undefined): string =>
  scaling === undefined ? 'none (factor 1)' : JSON.stringify(scaling);

/**
 * Its inventors apply it, Hugging Face does not look at it: which is right is not for us to guess.
 */
function checkCondenseRatio(json: Fields, scaling: RopeScaling | undefined): void {
  if (json.rope_condense_ratio === undefined) return;
  const factor = scaling?.type === 'linear' ? scaling.factor : 1;
  const condenseRatio = positive(json, 'rope_condense_ratio');
  check(
    condenseRatio === factor,
    'BAD_CONFIG',
    () =>
      `rope_condense_ratio is ${condenseRatio}, but rope_scaling makes it ${factor}; say ` +
      'the same in both, or delete one',
  );
}

/**
 * `rope_scaling` or `rope_parameters`: both have the same fields, and {} means that there is none.
 */
function parseRopeObject(
  json: Fields,
  key: string,
  note: (text: string) => void,
): Rope | undefined {
  const given = orDefault(json[key], {});
  check(isObject(given), 'BAD_CONFIG', () => `${key} is ${show(given)}, not an object`);
  if (Object.keys(given).length === 0) return undefined;
  const type = typeOf(given, key);
  const rope = withoutNulls(given);
  check(
    orDefault(rope.partial_rotary_factor, 1) === 1,
    'UNSUPPORTED',
    () =>
      `${key}: partial_rotary_factor is ${show(rope.partial_rotary_factor)}; only 1 is implemented`,
  );
  const others = Object.keys(rope).filter(name => !ROPE_KEYS[type].has(name));
  if (others.length > 0) {
    note(`${key}: not used with the type ${show(type)}, nor by transformers: ${others.join(', ')}`);
  }
  return {
    scaling: scalingOf(type, rope, key, json, note),
    theta: rope.rope_theta === undefined ? undefined : positive(rope, 'rope_theta'),
  };
}

type RopeType = keyof typeof ROPE_KEYS;

function typeOf({ type, rope_type }: Fields, key: string): RopeType {
  const given = orDefault(agree(`the type in ${key}`, [rope_type, type]), 'default');
  check(
    given === 'linear' || given === 'llama3' || given === 'default',
    'UNSUPPORTED',
    () =>
      `${key}: type ${show(given)}; only "linear", "llama3" and "default" are implemented: the ` +
      'result would differ',
  );
  return given;
}

function scalingOf(
  type: RopeType,
  rope: Fields,
  key: string,
  json: Fields,
  note: (text: string) => void,
): RopeScaling | undefined {
  switch (type) {
    case 'default':
      noteUnusedFactor(rope, key, note);
      return undefined;
    case 'linear': {
      const factor = positive(rope, 'factor');
      return factor === 1 ? undefined : { type, factor };
    }
    case 'llama3':
      return {
        type,
        factor: positive(rope, 'factor'),
        lowFreqFactor: positive(rope, 'low_freq_factor'),
        highFreqFactor: positive(rope, 'high_freq_factor'),
        originalMaxPositionEmbeddings: originalOf(rope, json),
      };
  }
}

/** transformers 4 reads it beside the factors, 5 rather that of config.json itself. */
function originalOf(rope: Fields, json: Fields): number {
  const key = 'original_max_position_embeddings';
  const own = size(rope, key);
  return agree(key, [own, json[key] === undefined ? own : size(json, key)])!;
}

/** Without a type, some read a factor as linear and others pass over it. */
function noteUnusedFactor(rope: Fields, key: string, note: (text: string) => void): void {
  const factor = positive(rope, 'factor', 1);
  if (factor === 1) return;
  check(
    rope.rope_type !== undefined || rope.type !== undefined,
    'BAD_CONFIG',
    () =>
      `${key}: factor is ${factor}, but there is no type; say "type": "linear", or delete the ` +
      'factor',
  );
  note(`${key}: the factor ${factor} is not used with the type "default", nor by transformers`);
}

const withoutNulls = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
