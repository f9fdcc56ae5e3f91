/** error / budget as a picture: a row for each tensor, a column for each position. */
import { groupDigits } from '../../../base/table.js';
import type { Divergence, TensorResult } from '../../result.js';
import { type Markup, markup, NOTHING } from '../words/markup.js';
import { count, showRatio } from '../words/numbers.js';
import { isBeyond, placeOf } from '../words/tensors.js';
import { type Column, columnAt, columnsOf, showColumn, worstInColumns } from './columns.js';
import { HEAT, type HeatStep, heatOf, isHot, NOT_FINITE } from './heat.js';

/** With more tensors than this, rows are low and only layers have a label. */
const TALL = 80;
/** Parts of the axis that are marked. */
const MARKS = 4;

export interface HeatMap {
  readonly title: string;
  /** Empty for none. */
  readonly caption: string;
  readonly tensors: readonly TensorResult[];
  /** Is marked. */
  readonly first: Divergence | null;
}

export function heatMap({ title, caption, tensors, first }: HeatMap): Markup {
  const columns = columnsOf(tensors);
  const positions = columns.map(column => showColumn(column)).join(' ');
  const size = tensors.length > TALL ? 'low' : tensors.length === 1 ? 'single' : 'usual';
  return markup`<figure class="heat ${size}">
<figcaption><h3>${title}</h3>${caption === '' ? NOTHING : markup`<p>${caption}</p>`}</figcaption>
<div class="map" role="img" aria-label="${summary(title, tensors)}" data-positions="${positions}">
${tensors.map((tensor, i) => [layerHeading(tensors, i), row(tensor, columns, first)])}
${axis(columns)}
</div>
<output class="under-pointer" aria-hidden="true">&#160;</output>
</figure>`;
}

function summary(title: string, tensors: readonly TensorResult[]): string {
  const beyond = tensors.filter(({ maxRatio }) => isBeyond(maxRatio));
  const names = beyond.length === 0 ? '' : `, the first ${beyond[0].name}`;
  return (
    `${title}: heat map of error / budget of ${count(tensors.length, 'tensor')}; ` +
    `${groupDigits(beyond.length)} beyond the budget${names}. The table below has the numbers.`
  );
}

/** Before the first tensor of each layer, and a gap before what comes after the layers. */
function layerHeading(tensors: readonly TensorResult[], i: number): Markup {
  const { layer } = placeOf(tensors[i].name);
  if (i > 0 && placeOf(tensors[i - 1].name).layer === layer) return NOTHING;
  if (layer !== undefined) return markup`<div class="layer">layer ${layer}</div>`;
  return i === 0 ? NOTHING : markup`<div class="behind"></div>`;
}

function row(tensor: TensorResult, columns: readonly Column[], first: Divergence | null): Markup {
  const { name, maxRatio } = tensor;
  const isFirst = name === first?.tensor;
  const ratios = worstInColumns(tensor, columns);
  const shown = ratios.map(ratio => (ratio === undefined ? '-' : showRatio(ratio))).join(' ');
  return markup`<div class="row" data-name="${name}" data-ratios="${shown}">
<span class="kind${isFirst ? ' first' : ''}">${placeOf(name).kind}</span>
<span class="cells">${cells(ratios)}${isFirst ? mark(columns, first) : NOTHING}</span>
<span class="most${isBeyond(maxRatio) ? ' beyond' : ''}">${showRatio(maxRatio)}</span>
</div>
`;
}

/** One path for each colour; what has no number stays empty. */
function cells(ratios: readonly (number | undefined)[]): Markup {
  const paths = new Map<HeatStep, string>();
  for (let from = 0, to: number; from < ratios.length; from = to) {
    const step = stepOf(ratios[from]);
    for (to = from + 1; to < ratios.length && stepOf(ratios[to]) === step; ) to++;
    if (step === undefined) continue;
    const area = `M${from} 0h${to - from}v1h${from - to}z`;
    paths.set(step, `${paths.get(step) ?? ''}${area}`);
  }
  const drawn = [...paths].map(([{ name }, d]) => markup`<path class="${name}" d="${d}"/>`);
  return markup`<svg viewBox="0 0 ${ratios.length} 1" preserveAspectRatio="none">${drawn}</svg>`;
}

const stepOf = (ratio: number | undefined): HeatStep | undefined =>
  ratio === undefined ? undefined : heatOf(ratio);

/** A ring around the place where they diverge first. */
function mark(columns: readonly Column[], { position }: Divergence): Markup {
  const left = percent((columnAt(columns, position) + 0.5) / columns.length);
  return markup`<i class="here" style="left:${left}"></i>`;
}

function axis(columns: readonly Column[]): Markup {
  const last = columns.length - 1;
  const marks = new Set(
    Array.from({ length: MARKS + 1 }, (_, i) => Math.round((last * i) / MARKS)),
  );
  const labels = [...marks].map(column => {
    const { from, to } = columns[column];
    const left = percent((column + 0.5) / columns.length);
    return markup`<span style="left:${left}">${groupDigits(column === last ? to : from)}</span>`;
  });
  return markup`<div class="row axis"><span class="kind">position</span>
<span class="cells">${labels}</span><span class="most"></span></div>`;
}

const percent = (part: number): string => `${(100 * part).toFixed(2)}%`;

/** What the colours are. */
export function heatLegend(): Markup {
  const within = HEAT.filter(step => !isHot(step));
  const beyond = HEAT.filter(isHot);
  const swatch = ({ name, legend }: HeatStep) => markup`<li><i class="${name}"></i>${legend}</li>`;
  return markup`<div class="legend heat-legend">
<p>error / budget, the largest of each field, up to</p>
<ul aria-label="within the budget">${within.map(swatch)}</ul>
<ul aria-label="beyond the budget">${beyond.map(swatch)}</ul>
<ul aria-label="others">${swatch(NOT_FINITE)}<li><i class="empty"></i>not given</li></ul>
</div>`;
}
