/**
 * Base and factor of the rotary embedding in config.json, in all spellings that transformers reads:
 * `rope_theta` and `rope_scaling` of version 4, `rope_parameters` of version 5. Where the two
 * versions would compute different numbers from the same file, it is refused.
 */

import { check, show } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { agree, type Fields, orDefault, positive } from '../config-fields.js';
import { ROPE_KEYS } from './keys.js';

interface Rope {
  readonly factor: number;
  readonly theta: number | undefined;
}

/**
 * @param note is told what is there and changes nothing
 * @throws {LlamaError} BAD_CONFIG or UNSUPPORTED.
 */
export function parseRope(
  json: Fields,
  note: (text: string) => void,
): { ropeTheta: number; ropeFactor: number } {
  const scaling = parseRopeObject(json, 'rope_scaling', note);
  const parameters = parseRopeObject(json, 'rope_parameters', note);
  const theta = json.rope_theta === undefined ? undefined : positive(json, 'rope_theta');
  const ropeTheta = agree('rope_theta', [theta, scaling?.theta, parameters?.theta]) ?? 10000;
  const ropeFactor =
    agree('the factor of position interpolation', [scaling?.factor, parameters?.factor]) ?? 1;
  // Its inventors apply it, Hugging Face does not look at it: which is right is not for us to
  // guess.
  const condenseRatio = positive(json, 'rope_condense_ratio', ropeFactor);
  check(
    condenseRatio === ropeFactor,
    'BAD_CONFIG',
    () =>
      `rope_condense_ratio is ${condenseRatio}, but rope_scaling makes it ${ropeFactor}; say ` +
      'the same in both, or delete one',
  );
  return { ropeTheta, ropeFactor };
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
  const others = Object.keys(rope).filter(name => !ROPE_KEYS.has(name));
  if (others.length > 0) {
    note(`${key}: not used with the type ${show(type)}, nor by transformers: ${others.join(', ')}`);
  }
  return {
    factor: type === 'linear' ? positive(rope, 'factor') : unusedFactor(rope, key, note),
    theta: rope.rope_theta === undefined ? undefined : positive(rope, 'rope_theta'),
  };
}

function typeOf({ type, rope_type }: Fields, key: string): 'linear' | 'default' {
  const given = orDefault(agree(`the type in ${key}`, [rope_type, type]), 'default');
  check(
    given === 'linear' || given === 'default',
    'UNSUPPORTED',
    () =>
      `${key}: type ${show(given)}; only "linear" and "default" are implemented: the result ` +
      'would differ',
  );
  return given;
}

/** Without a type, some read a factor as linear and others pass over it. */
function unusedFactor(rope: Fields, key: string, note: (text: string) => void): 1 {
  const factor = positive(rope, 'factor', 1);
  if (factor === 1) return 1;
  check(
    rope.rope_type !== undefined || rope.type !== undefined,
    'BAD_CONFIG',
    () =>
      `${key}: factor is ${factor}, but there is no type; say "type": "linear", or delete the ` +
      'factor',
  );
  note(`${key}: the factor ${factor} is not used with the type "default", nor by transformers`);
  return 1;
}

const withoutNulls = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
