/**
 * `npm run bench -- limits`: every kernel's part of its limit, with 128 bits and with 256, worst
 * first. Each width is a process of its own, because V8's flag is of the whole process.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Width } from './kernels/peaks.js';
import type { Measured, MeasuredKernel } from './limits-child.js';

const execute = promisify(execFile);
const CHILD = fileURLToPath(new URL('./limits-child.js', import.meta.url));
const FLAGS: Record<Width, { bits: number; execArgv: string[] }> = {
  narrow: { bits: 128, execArgv: [] },
  wide: { bits: 256, execArgv: ['--experimental-wasm-revectorize'] },
};

export async function limitsBench(): Promise<Record<string, Measured>> {
  const all: Record<string, Measured> = {};
  for (const width of ['narrow', 'wide'] as const) {
    const { bits, execArgv } = FLAGS[width];
    const measured = await measureIn(width, execArgv);
    if (measured === undefined) {
      console.log(`${bits} bits: not in this Node, which does not know ${execArgv.join(' ')}`);
      continue;
    }
    all[bits] = measured;
    report(bits, measured);
  }
  return all;
}

async function measureIn(width: Width, execArgv: string[]): Promise<Measured | undefined> {
  try {
    const { stdout } = await execute(process.execPath, [...execArgv, CHILD, width]);
    return JSON.parse(stdout);
  } catch (error) {
    if (String(error).includes('bad option')) return undefined;
    throw error;
  }
}

function report(bits: number, { peaks, kernels }: Measured): void {
  const { read, mulAdd, dot, pairs, fours } = peaks;
  console.log(
    `${bits} bits: memory ${read.toFixed(1)} GB/s; GOPS: float32 ${mulAdd.toFixed(0)}, int16 dot ` +
      `${dot.toFixed(0)}, pairs ${pairs?.toFixed(0) ?? 'none'}, ` +
      `fours ${fours?.toFixed(0) ?? 'none'}`,
  );
  for (const { name, what, part } of kernels.flatMap(partsOf).sort((a, b) => a.part - b.part)) {
    console.log(`  ${(100 * part).toFixed(0).padStart(3)} %  ${name.padEnd(13)} ${what}`);
  }
}

/** One row beside what memory gives, and many beside what the instruction does. */
export function partsOf({ name, read, readLimit, operations, limit }: MeasuredKernel) {
  const of = (x: number, most: number, unit: string) =>
    `${x.toFixed(1)} of ${most.toFixed(1)} ${unit}`;
  return [
    { name, what: `1 row: ${of(read, readLimit, 'GB/s')}`, part: read / readLimit },
    { name, what: `32 rows: ${of(operations, limit, 'GOPS')}`, part: operations / limit },
  ];
}
