/** --model: what it may be, and what is said if it is something else. */
import { stat } from 'node:fs/promises';
import { check } from '../../base/errors.js';
import { oneOf } from '../../base/options.js';
import { EMBEDDED_MODEL, type LoadedModel } from '../../load/model.js';
import { checkLoadOptions, LOAD, type LoadOptions } from '../../load/options.js';
import { parseReference } from '../../load/reference.js';
import type { LlamaConfig } from '../../model/config.js';
import { type Io, note, showNotes } from '../terminal/io.js';
import type { Progress } from '../terminal/progress.js';
import { download } from './download.js';
import { flagsOf, readFlags } from './flags.js';
import type { Option, Options } from './options.js';

/** "native" is said on a command line for what is unsaid in a program. */
const { weights, cache, threads, wide } = LOAD;
const native = oneOf(['native', ...weights.range.choices!]);
const WASM = {
  weights: { ...weights, range: native, otherwise: 'native, as in the file' },
  cache,
  threads,
};
/** A program that is nobody's part may set a flag of the whole process. */
const WIDE = { wide: { ...wide, otherwise: 'auto' } };
const TABLE = { ...LOAD, ...WASM, ...WIDE };

/** What a program says with `packCache`, which here is true unless somebody says no. */
const NO_PACK_CACHE: Option = {
  name: 'no-pack-cache',
  help:
    'Neither keep packed weights on the disk nor take those that are there. Otherwise quantized ' +
    'weights of 100 MB or more are kept, and load faster the next time.',
};

/** How a model is run: what every verb has that runs one. */
export const ENGINE: readonly Option[] = [...flagsOf(TABLE), NO_PACK_CACHE];
/** What decides how much memory it takes. */
export const MEMORY: readonly Option[] = flagsOf(WASM);

/** What loading takes besides: who waits for it. */
export interface Waiting {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/** Where a person sees what comes of a model. */
export interface Screen extends Pick<Waiting, 'progress'> {
  readonly io: Io;
  readonly json: boolean;
}

type Context = LoadOptions['context'];

/**
 * --kernels, --context, --no-pack-cache, --wide and those that belong to one of the kernels; and,
 * where --context is not given, what the wasm kernels must have room for. Throws BAD_OPTION if one
 * is given that would have no effect.
 */
export function engineOptions(
  options: Options,
  { signal, progress }: Waiting,
  room?: Context,
): LoadOptions {
  const onProgress = progress && ((done: number, total: number) => progress.load(done, total));
  const given = { ...readFlags(options, TABLE), ...wasmOptions(options), signal, onProgress };
  // What is told from the configuration is for the wasm kernels.
  const context = given.context ?? (given.kernels === 'exact' ? undefined : room);
  const forWasm =
    given.kernels === 'exact'
      ? {}
      : {
          packCache: !options.flag(NO_PACK_CACHE.name),
          wide: given.wide ?? 'auto',
        };
  const load: LoadOptions = { ...given, context, ...forWasm };
  checkLoadOptions(load);
  return load;
}

/**
 * Waits until a model is loaded, tells its notes, and has it used; in any case it is closed then,
 * and no line of progress is left.
 */
export async function withLoaded<Loaded extends Pick<LoadedModel, 'model' | 'notes'>>(
  { io, json, progress }: Screen,
  loading: Promise<Loaded>,
  use: (loaded: Loaded) => Promise<void>,
): Promise<void> {
  try {
    const loaded = await loading;
    try {
      progress?.clear();
      showNotes(io, json, loaded.notes);
      await use(loaded);
    } finally {
      await loaded.model.close();
    }
  } finally {
    progress?.clear();
  }
}

/** The context for one text. That it is longer than the model's is for others to say. */
export function contextFor(tokens: number): (config: LlamaConfig) => number {
  return ({ maxPositionEmbeddings }) => Math.min(tokens, maxPositionEmbeddings);
}

/** --weights, --cache and --threads. */
export function wasmOptions(options: Options): Pick<LoadOptions, 'weights' | 'cache' | 'threads'> {
  const isNative = options.text('weights') === 'native';
  return { ...readFlags(options, WASM), ...(isNative && { weights: undefined }) };
}

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
    return download(model, options, io, only);
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
