/**
 * `--names FILE`: what tensors of another implementation are called here. A `*` on both sides
 * stands for the number of a layer:
 *
 *     { "block.*.attention.query": "model.layers.*.self_attn.q_proj" }
 */
import { check, show } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { escapeRegExp } from '../../base/text.js';
import { readJson } from '../../files/file.js';

/** Their names, or patterns of them, and ours. */
export type Names = ReadonlyMap<string, string>;

/** @throws {LlamaError} BAD_OPTION naming what is wrong, NOT_FOUND if there is no such file. */
export async function readNames(path: string): Promise<Names> {
  const value = await readJson(path, 'BAD_OPTION');
  check(
    isObject(value),
    'BAD_OPTION',
    () => `${path} is ${show(value)}; write {"their name": "our name"}`,
  );
  return new Map(
    Object.entries(value).map(([theirs, ours]) => {
      check(
        typeof ours === 'string' && stars(theirs) === stars(ours) && stars(theirs) <= 1,
        'BAD_OPTION',
        () =>
          `${path}: ${show(theirs)} is to be ${show(ours)}; that must be a name, with one * if ` +
          'theirs has one, for the number of the layer',
      );
      return [theirs, ours];
    }),
  );
}

const stars = (name: string): number => name.split('*').length - 1;

/** Our name by `names` for one of theirs, and by which entry; undefined if there is none. */
export function findName(
  theirs: string,
  names: Names,
): { readonly ours: string; readonly entry: string } | undefined {
  const exact = names.get(theirs);
  if (exact !== undefined) return { ours: exact, entry: theirs };
  for (const [entry, ours] of names) {
    if (!entry.includes('*')) continue;
    const pattern = entry.split('*').map(escapeRegExp).join('(\\d+)');
    const [, layer] = new RegExp(`^${pattern}$`).exec(theirs) ?? [];
    if (layer !== undefined) return { ours: ours.replace('*', layer), entry };
  }
  return undefined;
}
