/** What a token sees: less than all before it, or more. */
import type { LlamaConfig } from '../../model/config.js';
import type { Visible } from '../../ops/attention.js';
import type { Setup } from '../run/setup.js';
import { changePast } from './changes.js';

/** A token sees what the one at `position` should, of a text of `length` tokens. */
export const seeAs = (setup: Setup, position: (own: number, length: number) => number): Setup =>
  changePast(setup, past => ({
    visible: (layer, own) => past.visible(layer, position(own, setup.steps.length)),
  }));

/** A token sees nothing of what is before the position `first`. */
export const seeFrom = (setup: Setup, first: (own: number) => number): Setup =>
  changePast(setup, past => ({
    visible: (layer, own) => from(setup.config, past.visible(layer, own), first(own)),
  }));

function from(config: LlamaConfig, { keys, values, count }: Visible, first: number): Visible {
  const start = first * config.numKeyValueHeads * config.headDim;
  return { keys: keys.subarray(start), values: values.subarray(start), count: count - first };
}
