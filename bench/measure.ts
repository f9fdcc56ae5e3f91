import type { Bench } from 'tinybench';

/** Runs `bench` and gives each task's median time in milliseconds. */
export async function medians(bench: Bench): Promise<Map<string, number>> {
  await bench.run();
  return new Map(
    bench.tasks.map(({ name, result }) => {
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
      return [name, result.latency.p50];
    }),
  );
}
