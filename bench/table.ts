/** `npm run bench -- table`: the table of the README, of the results of all processors. */
import { type Comparison, type Results, readResults } from './results.js';

const HEADER =
  '| processor | date | model | weights | decode, tokens/s | ratio | prefill, tokens/s | ratio | ' +
  'weights read, GB/s | peak memory, GB |';

/** In Markdown. Ratios are ours ÷ llama.cpp's, those of 1 and more in bold. */
export function tableOf(all: Iterable<Results>): string {
  const rows = [...all].flatMap(({ processor, comparisons = [] }) =>
    comparisons.map(comparison => rowOf(processor.called ?? processor.name, comparison)),
  );
  return [HEADER, `|${'---|'.repeat(10)}`, ...rows].join('\n');
}

function rowOf(processor: string, comparison: Comparison): string {
  const { date, model, weights } = comparison;
  const { decode, decodeRatio, prefill, prefillRatio, weightsRead, peakMemory } = comparison;
  const cells = [
    ...[processor, date, model, weights],
    ...[rate(decode), ratio(decodeRatio), rate(prefill), ratio(prefillRatio)],
    ...[fixed(weightsRead, 1), fixed(peakMemory, 2)],
  ];
  return `| ${cells.join(' | ')} |`;
}

const fixed = (x: number | null, digits: number) => (x === null ? '–' : x.toFixed(digits));
const rate = (x: number | null) => (x === null ? '–' : String(Number(x.toPrecision(3))));

function ratio(x: number | null): string {
  return x !== null && x >= 1 ? `**${x.toFixed(2)}**` : fixed(x, 2);
}

export async function tableBench(): Promise<void> {
  console.log(tableOf(readResults().values()));
}
