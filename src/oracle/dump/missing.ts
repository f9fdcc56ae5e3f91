/** What of a layer is not there although some of it is. */
import { firstOf } from '../../base/errors.js';
import type { LlamaConfig } from '../../model/config.js';
import { tensorNames } from '../../model/trace.js';
import type { Notes } from './notes.js';

export function noteMissing(given: ReadonlySet<string>, config: LlamaConfig, notes: Notes): void {
  const layers = new Map<string, { readonly missing: string[]; isBegun: boolean }>();
  for (const name of tensorNames(config)) {
    const [, layer, rest] = /^model\.layers\.(\d+)\.?(.*)$/.exec(name) ?? [];
    if (layer === undefined) continue;
    const own = layers.get(layer) ?? { missing: [], isBegun: false };
    layers.set(layer, own);
    if (given.has(name)) own.isBegun = true;
    else own.missing.push(rest === '' ? 'the output' : rest);
  }
  for (const [layer, { missing, isBegun }] of layers)
    if (isBegun && missing.length > 0)
      notes.add(`not given: ${firstOf(missing)}`, `layer ${layer}`);
}
