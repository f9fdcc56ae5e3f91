/** The numbers behind the pictures. */
import { groupDigits } from '../../../base/table.js';
import type { Comparison, TensorResult } from '../../result.js';
import { type Markup, markup, NOTHING } from '../words/markup.js';
import { count, showRatio, showSize, sideBySide } from '../words/numbers.js';
import { isBeyond } from '../words/tensors.js';

/** Of what there may be thousands, so many have a line. */
const MOST = 100;

const TENSOR_HEAD = [
  ...['tensor', 'verdict', 'error/budget', 'rel L2', 'norm ratio'],
  ...['position', 'number', 'truth', 'theirs'],
];

/** A line for each tensor, with the number that is farthest away. */
export function tensorNumbers(title: string, tensors: readonly TensorResult[]): Markup {
  const lines = tensors.map(({ name, verdict, maxRatio, relL2, normRatio, worst }) => {
    const [ours, theirs] = sideBySide(worst.ours, worst.theirs);
    const cells = [
      ...[verdict, showRatio(maxRatio), showSize(relL2), showSize(normRatio)],
      ...[groupDigits(worst.row), groupDigits(worst.column), ours, theirs],
    ];
    return markup`<tr${isBeyond(maxRatio) ? markup` class="beyond"` : NOTHING}>
<th scope="row" class="name">${name}</th>${cells.map(cell => markup`<td>${cell}</td>`)}</tr>
`;
  });
  return markup`<details><summary>${title}: the numbers</summary>
<div class="wide"><table class="numbers"><thead>${head(TENSOR_HEAD)}</thead>
<tbody>${lines}</tbody></table></div></details>`;
}

const head = (names: readonly string[]): Markup =>
  markup`<tr>${names.map(name => markup`<th scope="col">${name}</th>`)}</tr>`;

/** The positions at which a tensor is farthest beyond its budget. */
export function worstRows({ rows }: TensorResult): Markup {
  const worst = rows.toSorted((a, b) => size(b.ratio) - size(a.ratio)).slice(0, 8);
  const lines = worst.map(
    ({ position, error, budget, ratio }) => markup`<tr><td>${groupDigits(position)}</td>
<td>${showSize(error)}</td><td>${showSize(budget)}</td><td>${showRatio(ratio)}</td></tr>
`,
  );
  return markup`<div class="wide"><table class="numbers">
<thead>${head(['position', 'error', 'budget', 'error/budget'])}</thead>
<tbody>${lines}</tbody></table></div>`;
}

/** As large as possible, if it is no number. */
const size = (ratio: number): number => (Number.isFinite(ratio) ? ratio : Number.MAX_VALUE);

/** Where another token is the likeliest. */
export function flipsTable({ flips }: Comparison): Markup {
  const lines = flips.slice(0, MOST).map(
    ({ position, ours, theirs, margin }) => markup`<tr><td>${groupDigits(position)}</td>
<td>${ours}</td><td>${theirs}</td><td>${showSize(margin)}</td></tr>
`,
  );
  const more = flips.length - lines.length;
  return markup`<div class="wide"><table class="numbers">
<thead>${head(['position', 'likeliest token', 'theirs', 'margin'])}</thead>
<tbody>${lines}</tbody></table></div>
${more > 0 ? markup`<p class="soft">… at ${count(more, 'position')} more</p>` : NOTHING}`;
}
