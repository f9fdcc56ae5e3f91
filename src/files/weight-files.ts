/**
 * The files of a model's directory that hold its weights, by the names Hugging Face gives them:
 *
 *     model.safetensors   or in several files: model.safetensors.index.json
 *     pytorch_model.bin   or in several files: pytorch_model.bin.index.json
 *
 * The first of these four that is there with all its shards is opened, as `from_pretrained` does.
 */

import { join } from 'node:path';
import { firstOf, LlamaError, show } from '../base/errors.js';
import { isObject } from '../base/json.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { isFile, openFile, readJson } from './file.js';
import { openPytorch } from './pytorch/pytorch.js';
import { openSafetensors } from './safetensors/safetensors.js';
import { openShards, parseWeightMap, type ShardExtension } from './shards.js';
import type { ByteSource } from './source.js';

interface Format {
  readonly single: string;
  readonly index: string;
  readonly extension: ShardExtension;
  readonly open: (source: ByteSource) => Promise<Checkpoint>;
}

const FORMATS: readonly Format[] = [
  {
    single: 'model.safetensors',
    index: 'model.safetensors.index.json',
    extension: '.safetensors',
    open: openSafetensors,
  },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    extension: '.bin',
    open: openPytorch,
  },
];

/** What `chooseWeightFiles` looks for. */
export const WEIGHT_FILES: readonly string[] = FORMATS.flatMap(({ single, index }) => [
  single,
  index,
]);

export interface WeightFiles {
  readonly format: Format;
  /** The one file, or the index and its shards. */
  readonly names: readonly string[];
  /** The shard that each tensor is in; undefined if there is one file. */
  readonly weightMap: ReadonlyMap<string, string> | undefined;
}

/** What `chooseWeightFiles` looks into. */
export interface WeightPlace {
  /** For messages: where the files are. */
  readonly path: string;
  /** The names of files there. */
  readonly files: readonly string[];
  /** The JSON in the file of that name. */
  readonly readIndex: (name: string) => Promise<unknown>;
  /** Whether a file is at that path, which may lead into a folder. Default: one of `files`. */
  readonly has?: (name: string) => Promise<boolean>;
  /** Whether the model needs the tensor of that name. Default: all. */
  readonly isNeeded?: (name: string) => boolean;
}

/**
 * @param path the directory
 * @param files the names of what is in it
 * @param isNeeded whether the model needs the tensor of that name
 * @throws {LlamaError} NOT_FOUND, UNSUPPORTED or BAD_CHECKPOINT, saying what is there and what is
 * not.
 */
export async function openWeightFiles(
  path: string,
  files: readonly string[],
  isNeeded?: (name: string) => boolean,
): Promise<Checkpoint> {
  const has = async (name: string) => files.includes(name) || isFile(join(path, name));
  const chosen = await chooseWeightFiles({
    path,
    files,
    readIndex: index => readJson(join(path, index), 'BAD_CHECKPOINT'),
    has,
    ...(isNeeded && { isNeeded }),
  });
  if (chosen === undefined) throw await nothingToOpen(path, files);
  const { format, weightMap, names } = chosen;
  const openOne = async (fileName: string) => format.open(await openFile(join(path, fileName)));
  if (weightMap === undefined) return openOne(format.single);
  const shards = names.filter(name => name !== format.index);
  const missing = await without(shards, has);
  if (missing.length > 0) throw staleIndex(join(path, format.index), missing, files, format);
  return openShards(weightMap, shards, join(path, format.index), openOne, isNeeded);
}

/**
 * Those files of `place` that hold the weights. Where no format has all its shards, the first that
 * has an index.
 *
 * @throws {LlamaError} BAD_CHECKPOINT if an index is broken.
 */
export async function chooseWeightFiles(place: WeightPlace): Promise<WeightFiles | undefined> {
  const { path, files, readIndex, isNeeded = () => true } = place;
  const { has = async (name: string) => files.includes(name) } = place;
  let incomplete: WeightFiles | undefined;
  for (const format of FORMATS) {
    const { single, index, extension } = format;
    if (files.includes(single)) return { format, names: [single], weightMap: undefined };
    if (!files.includes(index)) continue;
    const weightMap = parseWeightMap(await readIndex(index), join(path, index), extension);
    const missing = await without(new Set(weightMap.values()), has);
    const needed = [...weightMap].filter(
      ([name, file]) => isNeeded(name) || !missing.includes(file),
    );
    const chosen = {
      format,
      names: [index, ...new Set(needed.map(([, file]) => file))],
      weightMap,
    };
    if (!chosen.names.some(name => missing.includes(name))) return chosen;
    incomplete ??= chosen;
  }
  return incomplete;
}

/** Those of `names` that `has` does not know. */
async function without(
  names: Iterable<string>,
  has: (name: string) => Promise<boolean>,
): Promise<string[]> {
  const missing: string[] = [];
  for (const name of names) if (!(await has(name))) missing.push(name);
  return missing;
}

function staleIndex(
  index: string,
  missing: readonly string[],
  files: readonly string[],
  { extension }: Format,
): LlamaError {
  const others = files.filter(file => file.endsWith(extension));
  const advice =
    others.length === 0
      ? 'fetch them'
      : `there are ${firstOf(others)}: if these are all the weights, the index is another ` +
        "version's, and is to be fetched again";
  return new LlamaError('NOT_FOUND', `${index} names ${firstOf(missing)}, not there; ${advice}`);
}

/** Why there is nothing to open, by what there is instead. */
async function nothingToOpen(path: string, files: readonly string[]): Promise<LlamaError> {
  if (files.includes(ADAPTER)) return adapterOnly(path);
  const shard = files.find(file =>
    /^(model|pytorch_model)-\d+-of-\d+\.(safetensors|bin)$/.test(file),
  );
  if (shard !== undefined) {
    const { index } = FORMATS.find(({ extension }) => shard.endsWith(extension))!;
    return new LlamaError(
      'NOT_FOUND',
      `${join(path, shard)} is one of several files, but ${index} is not there; fetch it`,
    );
  }
  const gguf = files.find(file => file.endsWith('.gguf'));
  if (gguf !== undefined) {
    return new LlamaError(
      'UNSUPPORTED',
      `there are neither safetensors nor pytorch_model.bin in ${path}, but there is ${gguf}; ` +
        'give the path of that file instead of its directory',
    );
  }
  if (files.some(file => /^consolidated\..*(pth|safetensors)$/.test(file))) {
    return new LlamaError(
      'UNSUPPORTED',
      `${path} has weights in the form that Meta and Mistral publish (consolidated.…), not in ` +
        "Hugging Face's; convert them with convert_llama_weights_to_hf.py of transformers",
    );
  }
  const other = files.find(file => FORMATS.some(({ extension }) => file.endsWith(extension)));
  const advice =
    other === undefined
      ? ''
      : `; if ${other} is the weights, name it ${
          FORMATS.find(({ extension }) => other.endsWith(extension))!.single
        }`;
  return new LlamaError(
    'NOT_FOUND',
    `there is none of ${WEIGHT_FILES.join(', ')} in ${path}${thereIs(files)}${advice}`,
  );
}

/** What PEFT calls the description of a LoRA. */
export const ADAPTER = 'adapter_config.json';

/** A LoRA is not a model, but the difference of one from its base. */
export async function adapterOnly(path: string): Promise<LlamaError> {
  const json = await readJson(join(path, ADAPTER), 'BAD_CONFIG');
  const base = isObject(json) ? json.base_model_name_or_path : undefined;
  const baseName = typeof base === 'string' ? base : 'BASE';
  return new LlamaError(
    'UNSUPPORTED',
    `${path} is an adapter (LoRA) of ${baseName}, without that model; merge the two, in Python: ` +
      `PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(${show(baseName)}), ` +
      `${show(path)}).merge_and_unload().save_pretrained("merged")`,
  );
}

/** What is in a directory, for the end of a message. */
export function thereIs(files: readonly string[]): string {
  if (files.length === 0) return ', which is empty';
  return `; there is: ${files.slice(0, 10).join(', ')}${files.length > 10 ? ' …' : ''}`;
}
