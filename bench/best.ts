/** The shortest time of `run` in milliseconds: what it can do, not what others left it. */
export function best(run: () => void, milliseconds = 1500): number {
  let shortest = Infinity;
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    const start = performance.now();
    run();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}
