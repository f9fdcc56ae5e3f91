/** How the page looks, light and dark. Each colour is named once. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf8, #15171a);
  --raised: light-dark(#ffffff, #1d2024);
  --sunken: light-dark(#f1efeb, #24282d);
  --line: light-dark(#dedad3, #363b42);
  --ink: light-dark(#22252a, #e8e6e1);
  --soft: light-dark(#5d6066, #a6abb3);
  --accent: light-dark(#1c6660, #6fc7bd);
  --drift: light-dark(#7d4e00, #f0b45c);
  --wrong: light-dark(#a3282f, #ff9a94);
  --on-verdict: light-dark(#ffffff, #16181b);
  --theirs: light-dark(#1f56a8, #8ab8ff);
  --of-bug: light-dark(#b34700, #ffb066);
  --band: light-dark(#cfe6e2, #24494a);
  --within-1: light-dark(#e2efed, #1f3335);
  --within-2: light-dark(#bfddd8, #28494b);
  --within-3: light-dark(#8fc3bb, #356a69);
  --beyond-1: light-dark(#fbdf9d, #6f4614);
  --beyond-2: light-dark(#f7bd66, #955a18);
  --beyond-3: light-dark(#ee9142, #bf6d22);
  --beyond-4: light-dark(#d9602f, #e0843a);
  --beyond-5: light-dark(#b43a2b, #f5a468);
  --beyond-6: light-dark(#84202c, #ffc79c);
  --beyond-7: light-dark(#4c0d24, #ffe9d8);
  --not-finite: light-dark(#7b2cbf, #d6a3ff);
  --mono: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
body {
  max-width: 76rem;
  margin: 0 auto;
  padding: clamp(1rem, 3vw, 2.5rem);
  background: var(--paper);
  color: var(--ink);
  font: 1rem / 1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul { list-style: none; }
a { color: var(--accent); overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code { font: 0.9em / 1.5 var(--mono); overflow-wrap: anywhere; }
h2 { margin: 3rem 0 0.75rem; font-size: 1.25rem; font-weight: 650; }
h3 { font-size: 1rem; font-weight: 600; }
.soft, figcaption p { color: var(--soft); font-size: 0.875rem; }
.card {
  padding: clamp(1rem, 2vw, 1.5rem);
  border: 1px solid var(--line);
  border-radius: 0.75rem;
  background: var(--raised);
}
.card + .card { margin-top: 1rem; }

/* The verdict, and what was compared. */
.verdict { padding-left: 1.25rem; border-left: 0.375rem solid var(--verdict); }
.verdict h1 {
  margin: 0.5rem 0;
  font-size: clamp(1.25rem, 3vw, 1.75rem);
  line-height: 1.3;
  text-wrap: balance;
}
.verdict .word {
  display: inline-block;
  padding: 0.1rem 0.7rem;
  border-radius: 1rem;
  background: var(--verdict);
  color: var(--on-verdict);
  font-size: 0.875rem;
  font-weight: 700;
  letter-spacing: 0.04em;
}
.good { --verdict: var(--accent); }
.drift { --verdict: var(--drift); }
.bad { --verdict: var(--wrong); }
.facts {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  gap: 1rem 1.5rem;
  margin-top: 1.75rem;
}
.facts div:first-child { grid-column: span 2; }
.facts dt { color: var(--soft); font-size: 0.8125rem; }
.facts dd { font-weight: 600; overflow-wrap: anywhere; }

/* The heat maps. */
.maps {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr));
  gap: 2rem;
}
.row {
  display: grid;
  grid-template-columns: 10.25rem minmax(0, 1fr) 4.5rem;
  gap: 0.5rem;
  align-items: center;
}
.row > * { font: 0.6875rem / 1rem var(--mono); }
.map { margin-top: 0.5rem; }
.behind { margin-top: 0.5rem; }
.layer { margin-top: 0.5rem; color: var(--soft); font-size: 0.75rem; line-height: 1.25rem; }
.kind { overflow: hidden; text-align: right; text-overflow: ellipsis; white-space: nowrap; }
.kind.first, .most.beyond { color: var(--wrong); font-weight: 700; }
.cells { position: relative; height: 0.875rem; }
.cells svg {
  display: block;
  width: 100%;
  height: 100%;
  background: var(--empty);
  shape-rendering: crispEdges;
}
.single .cells { height: 2.5rem; }
.low .cells { height: 0.3125rem; }
.low .kind, .low .most { visibility: hidden; line-height: 0.3125rem; }
.low .kind.first { overflow: visible; visibility: visible; }
.low .layer { height: 0; margin-top: 0.1875rem; line-height: 1rem; }
.low .behind { margin-top: 0.1875rem; }
.low .axis .kind { line-height: 1rem; visibility: visible; }
.map, .legend {
  --empty: repeating-linear-gradient(45deg, var(--line) 0 1px, transparent 1px 5px);
}
.here {
  position: absolute;
  top: 50%;
  width: 1.125rem;
  height: 1.125rem;
  border: 2px solid var(--ink);
  border-radius: 50%;
  box-shadow: 0 0 0 2px var(--raised), inset 0 0 0 1px var(--raised);
  transform: translate(-50%, -50%);
}
.axis { margin-top: 0.25rem; color: var(--soft); }
.heat .axis .cells { height: 1rem; }
.axis .cells span { position: absolute; transform: translateX(-50%); }
.axis .cells span:first-child { transform: none; }
.axis .cells span:nth-child(n + 2):last-child { transform: translateX(-100%); }
.under-pointer {
  display: block;
  min-height: 1.25rem;
  color: var(--soft);
  font: 0.75rem / 1.25rem var(--mono);
}
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 1.25rem;
  align-items: center;
  font-size: 0.8125rem;
}
.heat-legend { margin-bottom: 1.5rem; }
.heat-legend ul { display: flex; flex-wrap: wrap; gap: 0.125rem; }
.heat-legend li { width: 3.5rem; color: var(--soft); font-size: 0.6875rem; line-height: 1.2; }
.heat-legend li i { display: block; height: 0.75rem; }
.within-1 { fill: var(--within-1); background: var(--within-1); }
.within-2 { fill: var(--within-2); background: var(--within-2); }
.within-3 { fill: var(--within-3); background: var(--within-3); }
.beyond-1 { fill: var(--beyond-1); background: var(--beyond-1); }
.beyond-2 { fill: var(--beyond-2); background: var(--beyond-2); }
.beyond-3 { fill: var(--beyond-3); background: var(--beyond-3); }
.beyond-4 { fill: var(--beyond-4); background: var(--beyond-4); }
.beyond-5 { fill: var(--beyond-5); background: var(--beyond-5); }
.beyond-6 { fill: var(--beyond-6); background: var(--beyond-6); }
.beyond-7 { fill: var(--beyond-7); background: var(--beyond-7); }
.not-finite { fill: var(--not-finite); background: var(--not-finite); }
.empty { background: var(--empty); }

/* The curve. */
.curve .legend { margin-top: 0.5rem; }
.curve .legend li { display: flex; gap: 0.5rem; align-items: center; }
.legend .line { width: 1.75rem; height: 0; border-top: 3px solid; }
.legend .theirs { border-color: var(--theirs); }
.legend .of-bug { border-top: 2px dashed var(--of-bug); }
.legend i.band {
  width: 1.75rem;
  height: 0.875rem;
  border-top: 1px solid var(--accent);
  background: var(--band);
}
.plot {
  display: grid;
  grid-template: 20rem auto auto / 3.25rem minmax(0, 1fr);
  margin-top: 1rem;
  padding-right: 1.25rem;
}
.plot svg {
  width: 100%;
  height: 100%;
  overflow: visible;
  border: solid var(--line);
  border-width: 0 0 1px 1px;
}
.plot path {
  fill: none;
  vector-effect: non-scaling-stroke;
  stroke-linejoin: round;
  stroke-linecap: round;
}
.plot .grid { stroke: var(--line); stroke-width: 1px; }
.plot .band { fill: var(--band); fill-opacity: 0.7; }
.plot .edge { stroke: var(--accent); stroke-width: 1px; }
.plot .theirs { stroke: var(--theirs); stroke-width: 3px; }
.plot .dots { stroke: var(--theirs); stroke-width: 7px; }
.plot .of-bug { stroke: var(--of-bug); stroke-width: 1.75px; stroke-dasharray: 4 7; }
.y-axis, .x-axis {
  position: relative;
  color: var(--soft);
  font-size: 0.75rem;
  line-height: 1rem;
}
.y-axis span {
  position: absolute;
  right: 0.5rem;
  white-space: nowrap;
  transform: translateY(50%);
}
.x-axis { grid-column: 2; height: 1.5rem; }
.x-axis span { position: absolute; top: 0.375rem; transform: translateX(-50%); }
.axis-title { grid-column: 2; color: var(--soft); font-size: 0.8125rem; text-align: center; }

/* Tables. */
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
th, td {
  padding: 0.3rem 0.9rem 0.3rem 0;
  border-bottom: 1px solid var(--line);
  text-align: left;
  white-space: nowrap;
}
thead th { color: var(--soft); font-weight: 500; }
.numbers th, .numbers td { text-align: right; }
.numbers .name { text-align: left; font-family: var(--mono); font-weight: 400; }
tr.beyond td, tr.beyond th { color: var(--wrong); }
details { margin-top: 0.75rem; }
summary { color: var(--accent); font-size: 0.875rem; cursor: pointer; }
details[open] > summary { margin-bottom: 0.5rem; }

/* The first wrong tensor. */
.sides {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr));
  gap: 0.75rem;
  margin: 1rem 0;
}
.sides div { padding: 0.75rem 1rem; border-radius: 0.5rem; background: var(--sunken); }
.sides dt { color: var(--soft); font-size: 0.8125rem; }
.sides dd { font: 600 1.125rem / 1.5 var(--mono); overflow-wrap: anywhere; }
.sides .theirs dd { color: var(--wrong); }

/* The diagnosis. */
.bug h3 { font-size: 1.0625rem; }
.bug .id { color: var(--soft); }
.share {
  height: 0.5rem;
  margin: 0.75rem 0 0.25rem;
  border-radius: 0.25rem;
  overflow: hidden;
  background: var(--sunken);
}
.share i { display: block; height: 100%; background: var(--accent); }
.bug dl {
  display: grid;
  grid-template-columns: minmax(4.5rem, auto) minmax(0, 1fr);
  gap: 0.5rem 1rem;
  margin-top: 1rem;
}
.bug dt { color: var(--soft); }
.card + .told { margin-top: 1rem; }
.told li { padding-left: 1rem; text-indent: -1rem; }
.told li::before { content: "– "; color: var(--soft); }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  .row { grid-template-columns: 6.5rem minmax(0, 1fr) 3.75rem; gap: 0.375rem; }
  .row > * { font-size: 0.625rem; }
  .axis .cells span:nth-child(even) { display: none; }
  .plot { grid-template-rows: 15rem auto auto; }
  .bug dl { grid-template-columns: 1fr; gap: 0; }
  .bug dd { margin-bottom: 0.75rem; }
}
@media (forced-colors: active) {
  .map, .legend, .plot, .share { forced-color-adjust: none; }
}
@media print {
  body { max-width: none; }
  .card, figure { break-inside: avoid; }
}
`;
