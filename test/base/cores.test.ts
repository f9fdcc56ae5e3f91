import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { availableCores } from '../../src/base/cores.js';

const ALL = availableParallelism();

/** The files of a control group, and nothing else. */
function reader(files: Readonly<Record<string, string>>): (path: string) => string {
  return path => {
    const text = files[path.replace('/sys/fs/cgroup/', '')];
    if (text === undefined) throw new Error(`ENOENT: ${path}`);
    return text;
  };
}

it.each<[string, Readonly<Record<string, string>>, number]>([
  ['no control groups', {}, ALL],
  ['no limit', { 'cpu.max': 'max 100000\n' }, ALL],
  [
    'no limit, version 1',
    { 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' },
    ALL,
  ],
  ['half a core', { 'cpu.max': '50000 100000\n' }, 1],
  ['one core', { 'cpu.max': '100000 100000\n' }, 1],
  [
    'one core, version 1',
    { 'cpu/cpu.cfs_quota_us': '50000\n', 'cpu/cpu.cfs_period_us': '50000\n' },
    1,
  ],
  ['one and a half', { 'cpu.max': '75000 50000\n' }, Math.min(2, ALL)],
  ['more than there are', { 'cpu.max': '1000000000 100000\n' }, ALL],
])('cores with %s', (_, files, cores) => {
  expect(availableCores(reader(files))).toBe(cores);
});

it('here there is at least one', () => {
  expect(availableCores()).toBeGreaterThanOrEqual(1);
  expect(availableCores()).toBeLessThanOrEqual(ALL);
});
