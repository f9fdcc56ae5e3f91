/** The colours of the page, light and dark, by the contrast that WCAG 2.2 AA asks for. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../../src/base/package.js';
import { contrast } from '../../support/contrast.js';

const css = await readFile(packageFile('src/server/playground/web/styles/base.css'), 'utf8');
const COLOURS = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(
    ([, name, light, dark]) => [name, { light, dark }],
  ),
);

const GROUNDS = ['paper', 'raised', 'sunken'];
const PAIRS: readonly (readonly [front: string, back: string, least: number])[] = [
  ...['ink', 'soft', 'accent', 'wrong'].flatMap(front =>
    GROUNDS.map(back => [front, back, 4.5] as const),
  ),
  ['ink', 'tint', 4.5],
  ['on-accent', 'accent', 4.5],
  ['ink', 'wrong-paper', 4.5],
  ['wrong', 'wrong-paper', 4.5],
  // 1.4.11: what shows where a field is
  ...GROUNDS.map(back => ['edge', back, 3] as const),
];

describe.each(['light', 'dark'] as const)('%s', theme => {
  it.each(PAIRS)('%s on %s has a contrast of %d to 1 at least', (front, back, least) => {
    const [a, b] = [COLOURS.get(front)![theme], COLOURS.get(back)![theme]];
    expect(contrast(a, b)).toBeGreaterThanOrEqual(least);
  });
});
