/**
 * The perplexity of one model in several formats of weights and of cache, ours beside llama.cpp's,
 * of the same text in the same chunks. Both read the very same GGUF file, which our own converter
 * writes, and both are scored by the same code. `README.md` says what the columns mean.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseIntegers } from '../src/cli/arguments/token-list.js';
import { FILE_TYPES, type GgufFileType } from '../src/convert/gguf/recipes.js';
import { ggufOfModel } from '../src/convert/gguf/write-model.js';
import type { CacheFormat } from '../src/engines/wasm/memory/cache-formats.js';
import { writeGguf } from '../src/files/gguf/writer.js';
import { type ModelFiles, openModelFiles } from '../src/load/model-files.js';
import { openTokenizer } from '../src/load/tokenizer.js';
import type { LlamaConfig } from '../src/model/config.js';
import { type PerplexityModel, perplexity } from '../src/text/perplexity/perplexity.js';
import { builtLoad } from './built.js';
import { difference, type Estimate, perplexityOf } from './paired.js';
import { madeUpTokenizer } from './peers/vocabulary.js';
import { recordBench } from './results.js';

const TEXT = fileURLToPath(new URL('../../golden/text/alice.txt', import.meta.url));
const CACHES = ['f32', 'f16', 'q8'] as const satisfies CacheFormat[];

interface Settings {
  readonly path: string;
  readonly formats: readonly GgufFileType[];
  readonly caches: readonly CacheFormat[];
  readonly ctxSize: number;
  readonly chunks: number | undefined;
  readonly threads: number;
}

/** An engine with a model loaded. */
interface Opened {
  readonly about: string;
  readonly model: PerplexityModel;
  close(): Promise<void>;
}

interface OpenOptions {
  readonly threads: number;
  readonly cache: CacheFormat;
  readonly context: number;
  readonly config: LlamaConfig;
}

type Open = (gguf: string, options: OpenOptions) => Promise<Opened>;

/** What a format of weights with a format of cache came to. */
interface Row {
  readonly weights: GgufFileType;
  readonly cache: CacheFormat;
  readonly kernels: string;
  readonly ours: Estimate;
  readonly theirs?: Estimate;
  /** Ours less theirs. */
  readonly apart?: Estimate;
  /** Ours less ours in float32, weights and cache. */
  readonly cost: Estimate;
}

export async function perplexityBench(args: string[]): Promise<void> {
  const { file, tokensFile, ...settings } = readOptions(args);
  const files = await openModelFiles(settings.path);
  const ids = await readIds(settings.path, file, tokensFile);
  const theirs = await llamaCpp();
  const folder = await mkdtemp(join(tmpdir(), 'llama-32k-perplexity-'));
  try {
    const rows = await measureAll(new Measuring(settings, files, ids, folder), theirs);
    const { path, ctxSize, threads } = settings;
    const text = basename(tokensFile ?? file);
    const figures = { model: basename(path), text, tokens: ids.length, ctxSize, threads, rows };
    console.log(`written: ${recordBench(`perplexity ${basename(path)}`, figures)}`);
  } finally {
    await rm(folder, { recursive: true });
    await files.checkpoint.close();
  }
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      model: {
        type: 'string',
        default: fileURLToPath(new URL('../../golden/tiny-32k', import.meta.url)),
      },
      file: { type: 'string', default: TEXT },
      'tokens-file': { type: 'string' },
      formats: { type: 'string', default: 'F32,F16,Q8_0,Q4_0,Q4_K_M' },
      caches: { type: 'string', default: 'f16,q8' },
      'ctx-size': { type: 'string', default: '512' },
      chunks: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const formats = values.formats.split(',') as GgufFileType[];
  const caches = values.caches.split(',') as CacheFormat[];
  const isKnown =
    formats.every(name => name in FILE_TYPES) && caches.every(c => CACHES.includes(c));
  if (!isKnown)
    throw new Error(`formats: ${Object.keys(FILE_TYPES).join(',')}; caches: ${CACHES.join(',')}`);
  return {
    path: values.model,
    file: values.file,
    tokensFile: values['tokens-file'],
    formats,
    caches,
    ctxSize: Number(values['ctx-size']),
    chunks: values.chunks === undefined ? undefined : Number(values.chunks),
    threads: Number(values.threads),
  };
}

async function readIds(path: string, file: string, tokensFile?: string): Promise<number[]> {
  if (tokensFile !== undefined)
    return parseIntegers(await readFile(tokensFile, 'utf8'), '--tokens-file');
  const tokenizer = await openTokenizer(path);
  const text = await readFile(file, 'utf8');
  return tokenizer.encode(text.replace(/\n$/, ''), { bos: tokenizer.addsBos });
}

/** None, and a line that says so, where nobody ran `npm install` in bench/peers. */
async function llamaCpp(): Promise<Open | undefined> {
  try {
    const file = new URL('../../bench/peers/llama-model.js', import.meta.url).href;
    return (await import(file)).openLlamaCpp;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.log('llama.cpp is left out: npm install in bench/peers, as its README says');
    return undefined;
  }
}

async function openOurs(gguf: string, { threads, cache, context }: OpenOptions): Promise<Opened> {
  const { loadLlama } = await builtLoad();
  const { model } = await loadLlama(gguf, { threads, cache, context, wide: 'auto' });
  return { about: model.engine.name, model, close: () => model.close() };
}

/** One model and one text, as files of several formats, in two engines. */
class Measuring {
  readonly settings: Settings;
  readonly #files: ModelFiles;
  readonly #ids: readonly number[];
  readonly #folder: string;

  constructor(settings: Settings, files: ModelFiles, ids: readonly number[], folder: string) {
    this.settings = settings;
    this.#files = files;
    this.#ids = ids;
    this.#folder = folder;
  }

  /** What `use` gives of the model in a file of `format`, which is there only meanwhile. */
  async inFormat<T>(format: GgufFileType, use: (gguf: string) => Promise<T>): Promise<T> {
    const { config, checkpoint } = this.#files;
    // Only ids are ever given to it.
    const tokenizer = madeUpTokenizer(config.vocabSize);
    const model = { name: format, config, checkpoint, tokenizer };
    const { metadata, tensors } = ggufOfModel(model, format);
    const gguf = join(this.#folder, `${format}.gguf`);
    await writeFile(gguf, writeGguf(metadata, tensors));
    try {
      return await use(gguf);
    } finally {
      await rm(gguf);
    }
  }

  /** −log p of every token that is scored. */
  async score(open: Open, gguf: string, cache: CacheFormat): Promise<[about: string, number[]]> {
    const { config } = this.#files;
    const { ctxSize, chunks, threads } = this.settings;
    const { about, model, close } = await open(gguf, { threads, cache, context: ctxSize, config });
    try {
      const bos = this.#ids[0] === config.bosTokenId ? config.bosTokenId : undefined;
      const result = await perplexity(model, this.#ids, { ctxSize, chunks, bos });
      return [about, result.chunks.flatMap(({ nlls }) => [...nlls])];
    } finally {
      await close();
    }
  }
}

async function measureAll(measuring: Measuring, theirs: Open | undefined): Promise<Row[]> {
  const { formats, caches } = measuring.settings;
  const [, exact] = await measuring.inFormat('F32', gguf => measuring.score(openOurs, gguf, 'f32'));
  console.log(
    `${exact.length} tokens scored; F32 with an f32 cache: ${shown(perplexityOf(exact))}`,
  );
  console.log(line(['weights', 'cache', 'ours', 'llama.cpp', 'ours − llama.cpp', 'ours − F32']));
  const rows: Row[] = [];
  for (const weights of formats) {
    await measuring.inFormat(weights, async gguf => {
      for (const cache of caches) {
        const [kernels, own] = await measuring.score(openOurs, gguf, cache);
        const row: Row = {
          ...{ weights, cache, kernels, ours: perplexityOf(own), cost: difference(own, exact) },
          ...(theirs && (await compare(measuring, theirs, gguf, cache, own))),
        };
        rows.push(row);
        console.log(lineOf(row));
      }
    });
  }
  return rows;
}

async function compare(
  measuring: Measuring,
  theirs: Open,
  gguf: string,
  cache: CacheFormat,
  own: readonly number[],
): Promise<Pick<Row, 'theirs' | 'apart'>> {
  const [, nlls] = await measuring.score(theirs, gguf, cache);
  return { theirs: perplexityOf(nlls), apart: difference(own, nlls) };
}

function lineOf({ weights, cache, ours, theirs, apart, cost }: Row): string {
  return line([weights, cache, shown(ours), shown(theirs), shown(apart), shown(cost)]);
}

/** In Markdown. */
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** With two digits of its error. */
function shown(estimate: Estimate | undefined): string {
  if (estimate === undefined) return '–';
  const { value, error } = estimate;
  const digits = error > 0 ? Math.max(0, 1 - Math.floor(Math.log10(error))) : 4;
  return `${value.toFixed(digits)} ± ${error.toFixed(digits)}`;
}
