/** What every template has besides the conversation: constants and functions. */

import { check, LlamaError } from '../../base/errors.js';
import { strftime } from './strftime.js';
import { STRIP, strip } from './strip.js';

/** That of jinja2's sandbox, in which transformers runs templates: they come from strangers. */
const LONGEST_RANGE = 100_000;

export const GLOBALS = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range,
  [STRIP]: strip,
  raise_exception: refuse,
  strftime_now: (format: string) => strftime(new Date(), format),
};

/** Python's: `range(stop)`, `range(start, stop)` or `range(start, stop, step)`, as a list. */
function range(start: number, stop?: number, step = 1): number[] {
  const [first, end] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((end - first) / step));
  check(length <= LONGEST_RANGE, 'UNSUPPORTED', () => {
    return `the chat template wants a range of ${length}; at most ${LONGEST_RANGE} are allowed`;
  });
  return Array.from({ length }, (_, i) => first + i * step);
}

function refuse(message: unknown): never {
  throw new LlamaError('BAD_INPUT', `the chat template refuses this conversation: ${message}`);
}
