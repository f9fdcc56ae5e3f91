import { describe, expect, it } from 'vitest';
import { costsFrom } from '../../bench/pool/costs.js';
import { recordPass, type Step } from '../../bench/pool/record.js';
import { type Machine, simulate } from '../../bench/pool/simulate.js';
import { SHAPES } from '../../bench/shapes.js';

const piece = (numbers: number) => ({ kind: 'x', numbers, bytes: 0 });
const machine: Machine = {
  ...{ time: ({ numbers }) => numbers, call: 0, handover: 0 },
  ...{ spin: 10, wake: 50, bandwidth: 1 },
};
const everybody = (threads: number, steps: Step[]) => Array.from({ length: threads }, () => steps);

describe('a simulated pool', () => {
  it('shares pieces, and waits for the last one', () => {
    const next = [4, 4, 4].map(piece);
    const steps = [
      { own: [], next },
      { own: [], next: 'barrier' as const },
    ];
    const { microseconds, parts } = simulate(everybody(2, steps), machine);
    expect(microseconds).toBe(8);
    expect(parts).toMatchObject({ kernels: 12 / 16, pieces: 4 / 16, shares: 0 });
  });

  it('lets one who waits longer than it spins sleep, and wake', () => {
    const own = (numbers: number): Step[] => [{ own: [piece(numbers)], next: 'barrier' }];
    expect(simulate([own(5), own(11)], machine).microseconds).toBe(11);
    expect(simulate([own(0), own(11)], machine).microseconds).toBe(61);
  });

  it('reads memory no faster than there is bandwidth for all readers', () => {
    const next = [1, 1].map(numbers => ({ ...piece(numbers), bytes: 8 }));
    const { microseconds } = simulate(everybody(2, [{ own: [], next }]), machine);
    expect(microseconds).toBe(16);
  });
});

it('a recorded pass has the same work and meetings for any number of threads', async () => {
  const work = async (threads: number) => {
    const pass = { shape: SHAPES.tiny, weights: 'q8_0', threads, rows: 5 } as const;
    const steps = await recordPass(pass);
    const meetings = steps.map(own => own.map(({ next }) => Array.isArray(next) || next));
    for (const own of meetings) expect(own).toEqual(meetings[0]);
    const dealt = steps[0].flatMap(({ next }) => (Array.isArray(next) ? next : []));
    const all = [...dealt, ...steps.flatMap(own => own.flatMap(step => step.own))];
    return all.reduce((sum, { numbers }) => sum + numbers, 0);
  };
  expect(await work(3)).toBe(await work(1));
});

it('a line of costs goes through calls that lie on one', () => {
  const calls = [1, 2, 10].map(numbers => ({ work: piece(numbers), time: 3 + 2 * numbers }));
  expect(costsFrom(calls)(piece(100))).toBeCloseTo(203, 9);
});
