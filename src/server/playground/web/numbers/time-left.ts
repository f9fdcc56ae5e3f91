/**
 * How long it will take until a prompt is read.
 *
 * The token at position p costs a + b·p: a for the layers, b·p for what it attends to. So the time
 * from position s to p is a·(p − s) + b·(p² − s²)/2. Both are fitted to what was measured, by least
 * squares; neither can be negative.
 */

/** How many tokens were read after how many seconds, from whatever beginning. */
export interface Reading {
  readonly tokens: number;
  readonly seconds: number;
}

/** Less says nothing yet. */
const LEAST_READINGS = 3;
const LEAST_SECONDS = 1;

/** Undefined as long as too little is known. */
export function secondsLeft(readings: readonly Reading[], total: number): number | undefined {
  const first = readings[0];
  const last = readings.at(-1);
  if (readings.length < LEAST_READINGS || first === undefined || last === undefined) return;
  if (last.seconds - first.seconds < LEAST_SECONDS) return;
  const { a, b } = fitCosts(readings.slice(1), first);
  return a * (total - last.tokens) + (b * (total ** 2 - last.tokens ** 2)) / 2;
}

function fitCosts(readings: readonly Reading[], start: Reading): { a: number; b: number } {
  let [xx, xy, yy, xt, yt] = [0, 0, 0, 0, 0];
  for (const { tokens, seconds } of readings) {
    const x = tokens - start.tokens;
    const y = (tokens ** 2 - start.tokens ** 2) / 2;
    const t = seconds - start.seconds;
    xx += x * x;
    xy += x * y;
    yy += y * y;
    xt += x * t;
    yt += y * t;
  }
  const determinant = xx * yy - xy * xy;
  const a = (xt * yy - yt * xy) / determinant;
  const b = (yt * xx - xt * xy) / determinant;
  if (a >= 0 && b >= 0) return { a, b };
  return a < 0 ? { a: 0, b: yt / yy } : { a: xt / xx, b: 0 };
}
