/**
 * Converting: numbers a second that become each format, on one thread; and a 110M checkpoint of
 * f16, 268 MB, written in other forms, with time and memory of a process that does nothing else.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeNumbers } from '../src/files/rows.js';
import type { BlockDType, FloatDType } from '../src/model/dtypes.js';
import { best } from './best.js';
import { makeRandomCheckpoint } from './random-checkpoint.js';
import { normalTable } from './random-weights.js';
import { SHAPES } from './shapes.js';

const FORMATS: readonly (FloatDType | BlockDType)[] = [
  ...(['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q4_K', 'Q6_K'] as const),
];

/** The arguments after the model, by what the line is called. */
const CONVERSIONS: Readonly<Record<string, readonly string[]>> = {
  'directory, as it is': ['convert', '--output', 'copy'],
  'GGUF, as it is': ['convert', '--output', 'copy.gguf'],
  'GGUF, f32': ['convert', '--output', 'f32.gguf', '--type', 'f32'],
  'GGUF, q8_0': ['quantize', '--output', 'q8_0.gguf', '--type', 'q8_0'],
  'GGUF, q4_k_m': ['quantize', '--output', 'q4_k_m.gguf', '--type', 'q4_k_m'],
};

export async function convertBench(): Promise<void> {
  const numbers = normalTable();
  for (const format of FORMATS) {
    const ms = best(() => encodeNumbers(format, numbers));
    console.log(
      `${format.padEnd(24)} ${(numbers.length / ms / 1000).toFixed(1).padStart(8)} million ` +
        'numbers/s',
    );
  }
  const directory = await mkdtemp(join(tmpdir(), 'llama-32k-bench-'));
  try {
    const model = join(directory, 'model');
    await makeRandomCheckpoint(model, SHAPES['110M']);
    await copyFile('golden/tokenizer/tokenizer.model', join(model, 'tokenizer.model'));
    for (const [name, [verb, ...args]] of Object.entries(CONVERSIONS)) {
      const { seconds, bytes, peak } = runProgram(directory, [
        verb,
        '--model',
        model,
        ...args,
        '--json',
      ]);
      const megabytes = (bytes / 1e6).toFixed(0).padStart(5);
      const figures = `${seconds.toFixed(2).padStart(8)} s  ${megabytes} MB written`;
      console.log(
        `${name.padEnd(24)} ${figures}  ${(peak / 1e6).toFixed(0).padStart(5)} MB peak memory`,
      );
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The program in a process of its own, which tells its largest resident set in the end. */
function runProgram(
  cwd: string,
  args: readonly string[],
): { seconds: number; bytes: number; peak: number } {
  const main = new URL('../../dist/cli/main.js', import.meta.url).href;
  const script =
    `process.argv.splice(1, 0, 'llama-32k'); process.on('exit', () => ` +
    `console.log(process.resourceUsage().maxRSS * 1024)); await import(${JSON.stringify(main)});`;
  const stdout = execFileSync(
    process.execPath,
    ['--input-type=module', '--eval', script, '--', ...args],
    { cwd },
  );
  const [written, peak] = stdout.toString().trim().split('\n');
  return { ...JSON.parse(written), peak: Number(peak) };
}
