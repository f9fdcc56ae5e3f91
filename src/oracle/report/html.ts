/** The report as one page that needs nothing else: no network, and no script to be read. */
import { groupDigits } from '../../base/table.js';
import { type Comparison, conforms } from '../result.js';
import { curve } from './html/curve.js';
import { diagnosisSection, told } from './html/diagnosis.js';
import { heatLegend, heatMap } from './html/heat-map.js';
import { SCRIPT, SCRIPT_HASH } from './html/script.js';
import { STYLE } from './html/style.js';
import { flipsTable, tensorNumbers, worstRows } from './html/tables.js';
import { Markup, markup, NOTHING } from './words/markup.js';
import { showRatio, showSeconds, showSize, sideBySide } from './words/numbers.js';
import {
  budgetSentence,
  headline,
  howManyBeyond,
  isUnexplained,
  titleOf,
  verdictSentence,
} from './words/sentences.js';
import { curveOf, divergedTensor, findingWithCurve } from './words/tensors.js';

/** The page, in HTML that is XML too. */
export function writeHtml(comparison: Comparison): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src '${SCRIPT_HASH}'`;
  const page = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="${policy}"/>
<title>${headline(comparison)}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${verdictSection(comparison)}
<main>
${mapSection(comparison)}
${curveSection(comparison)}
${firstSection(comparison)}
${diagnosisSection(comparison)}
${flipsSection(comparison)}
${notesSection(comparison)}
</main>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

function verdictSection(comparison: Comparison): Markup {
  return markup`<header>
<div class="verdict ${colourOf(comparison)}">
<p class="word">${comparison.verdict}</p>
<h1>${capitalized(verdictSentence(comparison))}.</h1>
${because(comparison)}
</div>
${facts(comparison)}
</header>`;
}

function because(comparison: Comparison): Markup {
  if (isUnexplained(comparison)) return markup`<p>The <a href="#why">reason</a> is unknown.</p>`;
  const [likeliest] = comparison.diagnosis;
  if (likeliest === undefined) return NOTHING;
  return markup`<p>It looks like this: <a href="#why">${titleOf(likeliest)}</a>.</p>`;
}

function colourOf({ verdict }: Comparison): 'good' | 'drift' | 'bad' {
  if (conforms(verdict)) return 'good';
  return verdict === 'DRIFT' ? 'drift' : 'bad';
}

const capitalized = (sentence: string): string => sentence[0].toUpperCase() + sentence.slice(1);

function facts({ model, type, tokens, engine, samples, seconds }: Comparison): Markup {
  const all = {
    Model: model,
    Tokens: groupDigits(tokens),
    'Declared type': type,
    Truth: engine,
    'Honest samples': groupDigits(samples),
    Took: showSeconds(seconds),
  };
  const written = Object.entries(all).map(
    ([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  );
  return markup`<dl class="facts">${written}</dl>`;
}

const FREE = 'From the tokens alone';
const FORCED = 'Each from their own inputs';

function mapSection({ tensors, forced, firstDivergence: first }: Comparison): Markup {
  const caption = forced.length > 0 ? 'What follows from an error has it too.' : '';
  const maps = [
    { title: FREE, caption, tensors, first },
    { title: FORCED, caption: 'Only what is wrong by itself.', tensors: forced, first: null },
  ].filter(({ tensors }) => tensors.length > 0);
  if (maps.length === 0) return NOTHING;
  return markup`<section aria-labelledby="where"><h2 id="where">Error by tensor and position</h2>
<div class="card">
${heatLegend()}
<div class="maps">${maps.map(heatMap)}</div>
${maps.map(({ title, tensors }) => tensorNumbers(title, tensors))}
</div></section>`;
}

function curveSection(comparison: Comparison): Markup {
  const tensor = curveOf(comparison);
  if (tensor === undefined || tensor.rows.length === 0) return NOTHING;
  const finding = findingWithCurve(comparison);
  return markup`<section aria-labelledby="how"><h2 id="how">Error against position</h2>
<div class="card">${curve({ tensor, type: comparison.type, finding })}</div></section>`;
}

function firstSection(comparison: Comparison): Markup {
  const tensor = divergedTensor(comparison);
  if (comparison.firstDivergence === null || tensor === undefined) return NOTHING;
  const { position, error, budget } = comparison.firstDivergence;
  const { row, column, ...worst } = tensor.worst;
  const [ours, theirs] = sideBySide(worst.ours, worst.theirs);
  return markup`<section aria-labelledby="first"><h2 id="first">The first tensor that differs</h2>
<div class="card">
<h3><code>${tensor.name}</code></h3>
<p>From position ${groupDigits(position)} on, where the error is ${showSize(error)} and the budget
${showSize(budget)}; ${howManyBeyond(tensor)}. Farthest away is number ${groupDigits(column)} of
position ${groupDigits(row)}:</p>
<dl class="sides">
<div><dt>the truth</dt><dd>${ours}</dd></div>
<div class="theirs"><dt>theirs</dt><dd>${theirs}</dd></div>
<div><dt>times its budget</dt><dd>${showRatio(tensor.maxRatio)}</dd></div>
</dl>
<h3>The worst positions</h3>
${worstRows(tensor)}
</div></section>`;
}

function flipsSection(comparison: Comparison): Markup {
  if (comparison.flips.length === 0) return NOTHING;
  return markup`<section aria-labelledby="flips">
<h2 id="flips">Where another token is the likeliest</h2>
<div class="card">${flipsTable(comparison)}</div></section>`;
}

function notesSection(comparison: Comparison): Markup {
  return markup`<section aria-labelledby="notes"><h2 id="notes">What else is to be known</h2>
<div class="card">${told([...comparison.notes, budgetSentence(comparison)])}</div></section>`;
}
