/**
 * How far exp, log, sin and cos are from the truth, in ulp: the figures quoted in `src/ops`. Takes
 * a few minutes.
 */
import { exp } from '../src/ops/exp.js';
import { log } from '../src/ops/log.js';
import { ropeFrequencies } from '../src/ops/rope.js';
import { cos, sin } from '../src/ops/sin-cos.js';
import {
  ulpError,
  type Wide,
  wideCos,
  wideExp,
  wideLog,
  wideSin,
} from '../test/support/high-precision.js';

function measure(
  name: string,
  f: (x: number) => number,
  judge: (x: number) => Wide,
  inputs: Iterable<number>,
): void {
  let error = 0;
  let at = 0;
  let count = 0;
  for (const x of inputs) {
    const e = ulpError(f(x), judge(x));
    if (e > error) [error, at] = [e, x];
    count++;
  }
  console.log(
    `${name}: at most ${error.toFixed(3)} ulp over ${count.toLocaleString('en')} arguments ` +
      `(worst: ${at})`,
  );
}

function* evenly(from: number, to: number, count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield from + ((to - from) * (i + 0.382)) / count;
}

/** Every angle that a head of 128 at θ = 10,000 and factor 8 turns by, positions 0 … 32,767. */
function* angles(): Generator<number> {
  const frequencies = ropeFrequencies(128, 10000, { type: 'linear', factor: 8 });
  for (let position = 0; position < 32768; position++) {
    for (const frequency of frequencies) yield Math.fround(position * frequency);
  }
}

measure('exp, normal results   ', exp, wideExp, evenly(-708, 709.7, 1_000_000));
measure('exp, [-1, 1]          ', exp, wideExp, evenly(-1, 1, 1_000_000));
measure('exp, subnormal results', exp, wideExp, evenly(-745, -708.4, 100_000));
measure('log, [0.5, 2]         ', log, wideLog, evenly(0.5, 2, 500_000));
measure('log, [2, 1e9]         ', log, wideLog, evenly(2, 1e9, 500_000));
measure('sin, all angles of 7B ', sin, wideSin, angles());
measure('cos, all angles of 7B ', cos, wideCos, angles());
