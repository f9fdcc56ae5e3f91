/**
 * On how many cores this process may compute: those that the system lets it run on, and no more
 * than a container's share of processor time.
 *
 * Threads beyond that share are stopped for the rest of every 100 ms, all of them, wherever they
 * are in a pass. Node 20 does not know of the share; newer versions do.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export function availableCores(
  read: (path: string) => string = path => readFileSync(path, 'utf8'),
): number {
  const [quota, period] = cpuQuota(read);
  return quota > 0
    ? Math.min(availableParallelism(), Math.ceil(quota / period))
    : availableParallelism();
}

/**
 * Microseconds of processor time in so many microseconds; NaN or below 0 where there is no limit.
 */
function cpuQuota(read: (path: string) => string): [quota: number, period: number] {
  try {
    // cgroup 2; the quota may be "max"
    const [quota, period] = read('/sys/fs/cgroup/cpu.max').split(' ');
    return [Number(quota), Number(period)];
  } catch {}
  try {
    return [
      Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')),
      Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us')),
    ];
  } catch {}
  return [NaN, NaN];
}
