/**
 * Error against position on logarithmic axes: the budget as a band, theirs as a line, and laid over
 * it the line that the likeliest bug would have.
 */
import { groupDigits } from '../../../base/table.js';
import type { Finding, TensorResult } from '../../result.js';
import { type Markup, markup, NOTHING } from '../words/markup.js';
import { showRatio, showSize } from '../words/numbers.js';
import { errorScale, type Mark, positionScale, type Scale } from './scales.js';

/** Parts of the axis whose positions are drawn as one, and lines of the table. */
const STEPS = 300;
const TABLE_STEPS = 24;
/** Up to so many, points are dots too. */
const DOTS = 100;
/** What the axes are in the picture's own units. */
const SIZE = 1000;

interface Point {
  readonly position: number;
  readonly error: number;
}

export interface Curve {
  readonly tensor: TensorResult;
  readonly type: string;
  readonly finding: Finding | undefined;
}

export function curve({ tensor, type, finding }: Curve): Markup {
  const { name, rows } = tensor;
  const budgets = rows.map(({ position, budget }) => ({ position, error: budget }));
  const [first, last] = [rows[0].position, rows[rows.length - 1].position];
  const ofBug = (finding?.curve ?? []).filter(({ position: p }) => p >= first && p <= last);
  const x = positionScale(first, last);
  const y = errorScale([...rows, ...budgets, ...ofBug].map(({ error }) => error));
  const line = (points: readonly Point[]) => path(thinned(points, x, STEPS), x, y);
  const bugLine = ofBug.length === 0 ? NOTHING : markup`<path class="of-bug" d="${line(ofBug)}"/>`;
  const dots =
    rows.length > DOTS ? NOTHING : markup`<path class="dots" d="${dotted(rows, x, y)}"/>`;
  return markup`<figure class="curve">
<figcaption><h3><code>${name}</code></h3></figcaption>
${legend(type, ofBug.length === 0 ? undefined : finding)}
<div class="plot" role="img" aria-label="${summary(tensor)}">
<div class="y-axis">${y.marks.map(mark => axisMark('bottom', mark))}</div>
<svg viewBox="0 0 ${SIZE} ${SIZE}" preserveAspectRatio="none">
${y.marks.map(({ at }) => markup`<path class="grid" d="M0 ${down(at)}H${SIZE}"/>`)}
<path class="band" d="${line(budgets)}V${SIZE}H0z"/>
<path class="edge" d="${line(budgets)}"/>
<path class="theirs" d="${line(rows)}"/>${dots}
${bugLine}
</svg>
<div class="x-axis">${x.marks.map(mark => axisMark('left', mark))}</div>
<p class="axis-title">position; error is the root mean square over the row</p>
</div>
${table(tensor, x, ofBug)}
</figure>`;
}

const summary = ({ name, rows, maxRatio }: TensorResult): string =>
  `The error of ${name} at ${groupDigits(rows.length)} positions, on logarithmic axes; ` +
  `at most ${showRatio(maxRatio)} times the budget. The table below has the numbers.`;

function legend(type: string, finding: Finding | undefined): Markup {
  const ofBug =
    finding && markup`<li><i class="line of-bug"></i>what ${finding.id} would give</li>`;
  return markup`<ul class="legend">
<li><i class="line theirs"></i>theirs</li>
<li><i class="band"></i>the budget: what ${type} arithmetic can do</li>
${ofBug ?? NOTHING}
</ul>`;
}

const axisMark = (side: 'left' | 'bottom', { at, label }: Mark): Markup =>
  markup`<span style="${side}:${(100 * at).toFixed(2)}%">${label}</span>`;

const right = (part: number): string => (SIZE * part).toFixed(1);
const down = (part: number): string => (SIZE * (1 - part)).toFixed(1);

const path = (points: readonly Point[], x: Scale, y: Scale): string =>
  points
    .map(({ position, error }) => `${right(x.place(position))} ${down(y.place(error))}`)
    .map((place, i) => `${i === 0 ? 'M' : 'L'}${place}`)
    .join('');

/** Lines of no length, whose round ends are dots however the picture is stretched. */
const dotted = (points: readonly Point[], x: Scale, y: Scale): string =>
  points.map(point => `${path([point], x, y)}h0`).join('');

/**
 * Of the positions that share one of `steps` parts of the axis, that with the largest error, or
 * with one that is no number.
 */
function thinned<T extends Point>(points: readonly T[], x: Scale, steps: number): T[] {
  const largest = new Map<number, T>();
  for (const point of points) {
    const step = Math.round(x.place(point.position) * steps);
    const before = largest.get(step);
    const isLarger = Number.isNaN(point.error) || point.error > (before?.error ?? -1);
    if (isLarger) largest.set(step, point);
  }
  return [...largest.values()];
}

function table({ rows }: TensorResult, x: Scale, ofBug: readonly Point[]): Markup {
  const errorOfBug = new Map(ofBug.map(({ position, error }) => [position, showSize(error)]));
  const lines = thinned(rows, x, TABLE_STEPS).map(({ position, error, budget, ratio }) => {
    const last = ofBug.length === 0 ? NOTHING : markup`<td>${errorOfBug.get(position) ?? '–'}</td>`;
    return markup`<tr><td>${groupDigits(position)}</td><td>${showSize(error)}</td>
<td>${showSize(budget)}</td><td>${showRatio(ratio)}</td>${last}</tr>
`;
  });
  return markup`<details><summary>Some of these numbers as a table</summary>
<div class="wide"><table class="numbers"><thead><tr><th scope="col">position</th>
<th scope="col">error</th><th scope="col">budget</th><th scope="col">error/budget</th>
${ofBug.length === 0 ? NOTHING : markup`<th scope="col">the bug's error</th>`}</tr></thead>
<tbody>${lines}</tbody></table></div></details>`;
}
