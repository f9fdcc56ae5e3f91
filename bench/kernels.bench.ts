/**
 * The kernels by themselves, on one thread, beside what the machine can do: GB/s beside a plain
 * read of memory, 10^9 operations per second (GOPS) beside loops of the same instructions in
 * registers. The best of many short slices.
 */
import { type Kernels, openKernels } from './kernels/kernels.js';
import { FORMATS, linearLimit, measureLinear } from './kernels/linear.js';
import { measurePacking } from './kernels/packing.js';
import { measurePeaks, type Peaks } from './kernels/peaks.js';

export async function kernelsBench() {
  const kernels = (await openKernels('simd'))!;
  const peaks = await measurePeaks(kernels);
  const { read, mulAdd, dot, pairs, fours } = peaks;
  console.log(
    `limits: memory ${read.toFixed(1)} GB/s; GOPS: float32 product and sum ` +
      `${mulAdd.toFixed(0)}, int16 dot ${dot.toFixed(0)}, relaxed dot over pairs ` +
      `${pairs?.toFixed(0) ?? 'none'}, over fours ${fours?.toFixed(0) ?? 'none'}`,
  );
  const linear = linearLayers(kernels, peaks);
  const packing = measurePacking(kernels);
  for (const [name, rate] of packing) {
    console.log(`${name.padEnd(13)} ${rate.toFixed(0).padStart(5)} million numbers/s`);
  }
  for (const build of ['relaxed', 'dot4'] as const) {
    const others = await openKernels(build); // in which only the linear layers of bytes are others
    if (others === undefined) console.log(`${build}: not in this engine`);
    else Object.assign(linear, linearLayers(others, peaks));
  }
  return { peaks, linear, packing: Object.fromEntries(packing) };
}

/** By name of build and format. */
function linearLayers(kernels: Kernels, peaks: Peaks) {
  const figures: Record<string, { read: number; operations: number }> = {};
  for (const format of FORMATS) {
    const name = `${kernels.build} ${format}`;
    figures[name] = measureLinear(kernels, format);
    const limit = linearLimit(kernels.build, format, peaks);
    console.log(line(name, figures[name], peaks.read, limit));
  }
  return figures;
}

function line(
  name: string,
  measured: { read: number; operations: number },
  readLimit: number,
  limit: number,
): string {
  const { read, operations } = measured;
  const part = (x: number, most: number) => `${((100 * x) / most).toFixed(0).padStart(3)} %`;
  return (
    `${name.padEnd(13)} ${read.toFixed(1).padStart(5)} GB/s (${part(read, readLimit)} of ` +
    `memory), ${operations.toFixed(0).padStart(4)} GOPS (${part(operations, limit)} of ` +
    `${limit.toFixed(0)})`
  );
}
