/** --model: what it may be, and what is said if it is something else. */
import { stat } from 'node:fs/promises';
import { check } from '../../base/errors.js';
import type { CacheFormat } from '../../engines/wasm/memory/cache-formats.js';
import type { WeightFormat } from '../../engines/wasm/memory/weight-formats.js';
import { EMBEDDED_MODEL, type LoadOptions } from '../../load/model.js';
import { parseReference } from '../../load/reference.js';
import type { LlamaConfig } from '../../model/config.js';
import type { NumericsName } from '../../ops/rounding.js';
import { type Io, note } from '../terminal/io.js';
import { downloaded } from './download.js';
import type { Options } from './options.js';

/** What loading takes besides: who waits for it. */
export type Waiting = Pick<LoadOptions, 'signal' | 'onProgress'>;

type Context = LoadOptions['context'];

/**
 * --kernels and those that belong to one of them; and for the wasm kernels the context that they
 * must have room for. Throws BAD_OPTION if one is given that would have no effect.
 */
export function engineOptions(options: Options, waiting: Waiting, context?: Context): LoadOptions {
  const kernels = options.choice('kernels') as 'wasm' | 'exact';
  for (const [name, owner] of ONLY_FOR) {
    const useless = owner !== kernels && options.text(name) !== undefined;
    check(
      !useless,
      'BAD_OPTION',
      () => `--${name} has no effect with --kernels ${kernels}; it is for --kernels ${owner}`,
    );
  }
  const ropeFactor = options.number('rope-factor');
  if (kernels === 'exact') {
    const useless = typeof context === 'number';
    check(
      !useless,
      'BAD_OPTION',
      () => '--context has no effect with --kernels exact; it is for --kernels wasm',
    );
    return { kernels, ropeFactor, numerics: options.choice('numerics') as NumericsName };
  }
  return { kernels, ropeFactor, ...wasmOptions(options), context, ...waiting };
}

/** The context for one text. That it is longer than the model's is for others to say. */
export function contextFor(tokens: number): (config: LlamaConfig) => number {
  return ({ maxPositionEmbeddings }) => Math.min(tokens, maxPositionEmbeddings);
}

/** --weights, --cache and --threads. */
export function wasmOptions(options: Options): Pick<LoadOptions, 'weights' | 'cache' | 'threads'> {
  const weights = options.choice('weights');
  return {
    weights: weights === 'native' ? undefined : (weights as WeightFormat),
    cache: options.choice('cache') as CacheFormat,
    threads: options.integer('threads'),
  };
}

const ONLY_FOR = [
  ['weights', 'wasm'],
  ['cache', 'wasm'],
  ['threads', 'wasm'],
  ['numerics', 'exact'],
] as const;

/**
 * The directory or file that --model names, after it was downloaded if it is a model of the hub;
 * with `only`, no more than that. Without --model the embedded model, and then, unless --json is,
 * says so. Throws NOT_FOUND, and what `downloadModel` throws.
 */
export async function modelPath(options: Options, io: Io, only?: 'tokenizer'): Promise<string> {
  const model = options.text('model');
  check(model !== '', 'BAD_OPTION', () => `--model is empty; ${FORMS}`);
  const isHere = model === undefined || (await stat(model).catch(() => undefined)) !== undefined;
  if (!isHere) {
    const isOnHub = parseReference(model) !== undefined;
    check(isOnHub, 'NOT_FOUND', () => `there is no ${model}; ${FORMS}`);
    return downloaded(model, options, io, only);
  }
  check(options.text('revision') === undefined, 'BAD_OPTION', () => {
    return (
      `--revision has no effect with ${model ?? 'the model that comes with the package'}; it is ` +
      'for models of the hub'
    );
  });
  if (model !== undefined) return model;
  if (!options.flag('json')) {
    note(
      io,
      'no --model: this is tiny-32k, the small model that comes with the package; it knows its ' +
        'invented world only',
    );
  }
  return EMBEDDED_MODEL;
}

const FORMS =
  '--model takes a directory that has config.json, or a GGUF file, or a model of the hub: ' +
  'owner/name, owner/name:file.gguf';
