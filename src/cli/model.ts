/** --model: what it may be, and what is said if it is something else. */
import { stat } from 'node:fs/promises';
import { check, LlamaError } from '../errors.js';
import { EMBEDDED_MODEL, type LoadedModel, loadModel } from '../load.js';
import type { NumericsName } from '../ops/rounding.js';
import { type Io, note } from './io.js';
import type { Options } from './options.js';

export async function openModel(options: Options, io: Io): Promise<LoadedModel> {
  return loadModel(await modelPath(options, io), { numerics: numericsOf(options) });
}

/** --kernels and --numerics, of which the first has one value yet. */
export function numericsOf(options: Options): NumericsName {
  options.choice('kernels');
  return options.choice('numerics') as NumericsName;
}

/** The directory that --model names, or the embedded one, and then says so. Throws NOT_FOUND or UNSUPPORTED. */
export async function modelPath(options: Options, io: Io): Promise<string> {
  const model = options.text('model');
  if (model === undefined) {
    note(io, 'no --model: this is the small random model that comes with the package; its text is noise');
    return EMBEDDED_MODEL;
  }
  check(!/\.gguf$/i.test(model), 'UNSUPPORTED', () => {
    return `${model}: GGUF files are not read yet; give the directory of a Hugging Face model with safetensors`;
  });
  const status = await stat(model).catch(() => undefined);
  check(status !== undefined, 'NOT_FOUND', () => notThere(model));
  if (!status.isDirectory()) {
    throw new LlamaError('NOT_FOUND', `${model} is a file; --model takes the directory that has config.json`);
  }
  return model;
}

function notThere(model: string): string {
  const isHubId = /^[\w-][\w.-]*\/[\w.-]+$/.test(model);
  if (!isHubId) return `there is no directory ${model}; --model takes a directory that has config.json`;
  return (
    `there is no directory ${model}, and models are not downloaded yet; if it is a hub id: ` +
    `hf download ${model} --local-dir DIR, then --model DIR`
  );
}
