/**
 * One process of `limits.bench.ts`: measures the kernels beside the peaks of one width, and prints
 * them as JSON.
 */
import { wideOf } from '../src/engines/wasm/kernels/builds.js';
import { type Kernels, openKernels } from './kernels/kernels.js';
import { FORMATS, linearLimit, measureLinear } from './kernels/linear.js';
import { measurePeaks, type Peaks, type Width } from './kernels/peaks.js';

export interface Measured {
  readonly peaks: Peaks;
  readonly kernels: readonly MeasuredKernel[];
}

/** 10^9 bytes of weights per second for one row, 10^9 operations per second for many. */
export interface MeasuredKernel {
  readonly name: string;
  readonly read: number;
  readonly readLimit: number;
  readonly operations: number;
  readonly limit: number;
}

const width = process.argv[2] as Width;
console.log(JSON.stringify(await measure()));

async function measure(): Promise<Measured> {
  const builds = (await Promise.all((['relaxed', 'dot4'] as const).map(open))).filter(
    kernels => kernels !== undefined,
  );
  const all = builds.length > 0 ? builds : [(await openKernels('simd'))!];
  const peaks = await measurePeaks(all[0], width);
  return { peaks, kernels: all.flatMap(kernels => measureBuild(kernels, peaks)) };
}

/** With 256 bits the wide module of that build. */
function open(build: 'relaxed' | 'dot4') {
  return openKernels(build, width === 'wide' ? wideOf(build) : build);
}

function measureBuild(kernels: Kernels, peaks: Peaks): MeasuredKernel[] {
  return FORMATS.map(format => ({
    name: `${kernels.build} ${format}`,
    ...measureLinear(kernels, format),
    readLimit: peaks.read,
    limit: linearLimit(kernels.build, format, peaks),
  }));
}
