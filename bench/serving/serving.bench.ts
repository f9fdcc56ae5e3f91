/**
 * `npm run bench -- serve first-token|documents|company [--shape 1.1B] [--weights q8_0]
 * [--tokens 16000] [--threads N]`: what people wait for, from a server as they start it.
 * `README.md` says what the figures mean.
 */
import { mkdir } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GGML_TYPES, type GgmlType } from '../ggml-types.js';
import { makeRandomGguf } from '../peers/llama-gguf.js';
import { recordBench } from '../results.js';
import { SHAPES, type ShapeName } from '../shapes.js';
import { measureCompany } from './company.js';
import { measureDocuments } from './documents.js';
import { measureStart } from './start.js';

interface Settings {
  readonly shape: ShapeName;
  readonly weights: GgmlType;
  readonly cache: string;
  readonly tokens: number;
  readonly threads: number;
  readonly models: string;
}

const PARTS: Readonly<Record<string, (settings: Settings) => Promise<object>>> = {
  'first-token': () => measureStart(),
  documents: async settings => measureDocuments(await served(settings), settings.tokens),
  company: async settings => measureCompany(await served(settings), settings.tokens),
};

export async function servingBench(args: string[]): Promise<void> {
  const [part, settings] = readOptions(args);
  const figures = await PARTS[part](settings);
  console.table(figures);
  const { shape, weights, cache, tokens, threads } = settings;
  const of = part === 'first-token' ? {} : { shape, weights, cache, tokens, threads };
  const name = `serve ${part}${part === 'first-token' ? '' : ` ${shape} ${weights}`}`;
  console.log(`written: ${recordBench(name, { ...of, ...figures })}`);
}

function readOptions(args: string[]): [part: string, settings: Settings] {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      shape: { type: 'string', default: '1.1B' },
      weights: { type: 'string', default: 'q8_0' },
      cache: { type: 'string', default: 'f16' },
      tokens: { type: 'string', default: '16000' },
      threads: { type: 'string', default: String(availableParallelism()) },
      models: { type: 'string', default: join(tmpdir(), 'llama-32k-peers') },
    },
  });
  const { shape, weights, cache, models } = values;
  const part = positionals[0];
  if (!(positionals.length === 1 && part in PARTS && shape in SHAPES && weights in GGML_TYPES)) {
    const list = (object: object) => Object.keys(object).join(', ');
    throw new Error(`one of ${list(PARTS)}; shapes: ${list(SHAPES)}; weights: ${list(GGML_TYPES)}`);
  }
  const [tokens, threads] = [Number(values.tokens), Number(values.threads)];
  return [
    part,
    { shape: shape as ShapeName, weights: weights as GgmlType, cache, tokens, threads, models },
  ];
}

/** Options of `serve` for a model of random weights, which is made if it is not there. */
async function served({ shape, weights, cache, threads, models }: Settings): Promise<string[]> {
  const gguf = join(models, `${shape}-${weights}.gguf`);
  await mkdir(models, { recursive: true });
  await makeRandomGguf(gguf, SHAPES[shape], weights);
  return ['--model', gguf, '--cache', cache, '--threads', `${threads}`];
}
