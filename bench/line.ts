export interface Point {
  readonly x: number;
  readonly y: number;
}

/** y = start + slope · x, and how well it describes the points it was made for. */
export interface Line {
  readonly start: number;
  readonly slope: number;
  /** R²: which part of the variance of y the line explains, 1 if all points lie on it. */
  readonly explained: number;
  /** The largest distance of a point from the line, as a part of the line's y there. */
  readonly worst: number;
}

/** The line of least squares through two points or more. */
export function fitLine(points: readonly Point[]): Line {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const covariance = mean(points.map(({ x, y }) => (x - meanX) * (y - meanY)));
  const slope = covariance / mean(points.map(({ x }) => (x - meanX) ** 2));
  const start = meanY - slope * meanX;
  const distances = points.map(({ x, y }) => y - (start + slope * x));
  const explained =
    1 - mean(distances.map(e => e * e)) / mean(points.map(({ y }) => (y - meanY) ** 2));
  const worst = Math.max(...points.map(({ x }, i) => Math.abs(distances[i] / (start + slope * x))));
  return { start, slope, explained, worst };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}
