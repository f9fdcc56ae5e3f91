/** The reason: which bugs would give what they have. */
import type { Comparison, Finding } from '../../result.js';
import { type Markup, markup, NOTHING } from '../words/markup.js';
import { howMuch, isUnexplained, titleOf, UNKNOWN } from '../words/sentences.js';

export function diagnosisSection(comparison: Comparison): Markup {
  const { diagnosis, diagnosisNotes } = comparison;
  const unknown = isUnexplained(comparison)
    ? markup`<p class="card">The reason is ${UNKNOWN}.</p>`
    : NOTHING;
  if (unknown === NOTHING && diagnosis.length + diagnosisNotes.length === 0) return NOTHING;
  return markup`<section aria-labelledby="why"><h2 id="why">The reason</h2>
${unknown}${diagnosis.map(bug)}${told(diagnosisNotes)}
</section>`;
}

/** Sentences, one below the other. */
export const told = (sentences: readonly string[]): Markup =>
  sentences.length === 0
    ? NOTHING
    : markup`<ul class="told">${sentences.map(sentence => markup`<li>${sentence}</li>`)}</ul>`;

function bug(finding: Finding): Markup {
  const { id, explains, evidence, fix, references, indistinguishableFrom: same } = finding;
  const width = `${(100 * Math.min(1, Math.max(0, explains))).toFixed(2)}%`;
  return markup`<article class="card bug">
<h3>${titleOf(finding)} <code class="id">${id}</code></h3>
<div class="share" aria-hidden="true"><i style="width:${width}"></i></div>
<p class="soft">${howMuch(finding)}</p>
<dl>
<dt>seen</dt><dd>${evidence}</dd>
<dt>fix</dt><dd>${fix}</dd>
${references.length > 0 ? markup`<dt>see</dt><dd>${references.map(link)}</dd>` : NOTHING}
${same.length > 0 ? markup`<dt>not told apart from</dt><dd>${same.map(code)}</dd>` : NOTHING}
</dl>
</article>`;
}

const code = (id: string): Markup => markup`<code>${id}</code> `;

/** Text, unless it is an address of the web. */
const link = (reference: string): Markup =>
  /^https?:\/\//.test(reference)
    ? markup`<div><a href="${reference}" rel="noreferrer">${reference}</a></div>`
    : markup`<div>${reference}</div>`;
