/** A line of JSON for every request: what it cost and how it ended, and never what it said. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/** @param destination where lines go; undefined: nowhere */
export function createLog(destination: DestinationStream | undefined): Logger {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return destination === undefined
    ? pino({ ...options, enabled: false })
    : pino(options, destination);
}
