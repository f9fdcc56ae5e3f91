/**
 * V8 does not count shared memory as garbage: gigabytes of a closed model would stay until other
 * objects cause a collection, which may be never. So one is asked for, in the only way that there
 * is.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collect();
}
