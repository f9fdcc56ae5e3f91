/** The report for a terminal: first the verdict, then the place, then the reason. */
import { colours } from '../../base/colours.js';
import { escapeControls } from '../../base/escape.js';
import { groupDigits, wrap } from '../../base/table.js';
import { type Comparison, conforms, type Finding, type Verdict } from '../result.js';
import { tensorTable } from './tensor-table.js';
import { count, showRatio, showSize, sideBySide } from './words/numbers.js';
import {
  budgetSentence,
  headline,
  howManyBeyond,
  howMuch,
  isUnexplained,
  titleOf,
  UNKNOWN,
  whatWasCompared,
} from './words/sentences.js';
import { divergedTensor } from './words/tensors.js';

/** How a report is written. */
export interface ReportStyle {
  /** Columns that a line may have; the table's lines have what they need. */
  readonly width: number;
  readonly colour: boolean;
}

/** Where text begins, behind what it is about. */
const INDENT = 8;
/** Of what there may be thousands, so many are told. */
const TOLD = 5;
/** The likeliest bugs are told in full. */
const TOLD_IN_FULL = 3;

type Paint = ReturnType<typeof colours>;

/** `comparison` in words and a table, for people; every line ends with a newline. */
export function writeReport(comparison: Comparison, { width, colour }: ReportStyle): string {
  const paint = colours(colour);
  const sections: Section[] = [
    ...[placeSection(comparison), ...reasonSections(comparison), flipsSection(comparison)],
    { label: 'Notes', paragraphs: comparison.notes },
    { label: 'Budget', paragraphs: [budgetSentence(comparison), whatWasCompared(comparison)] },
  ];
  const [place, ...others] = sections.map(section => linesOf(section, width, paint));
  const verdict = wrap(escapeControls(headline(comparison)), width);
  const blocks = [
    verdict.map(line => paint.bold(colourOf(comparison.verdict, paint)(line))),
    place,
    tensorTable(comparison, width, verdict => colourOf(verdict, paint)),
    ...others,
  ];
  return blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => `${line}\n`).join(''))
    .join('\n');
}

function colourOf(verdict: Verdict, { red, yellow, green }: Paint): (text: string) => string {
  if (conforms(verdict)) return green;
  return verdict === 'DRIFT' ? yellow : red;
}

/** Paragraphs beside the word that they are about; without paragraphs it is left out. */
interface Section {
  readonly label: string;
  readonly paragraphs: readonly string[];
}

function linesOf({ label, paragraphs }: Section, width: number, { bold }: Paint): string[] {
  const lines = paragraphs.flatMap(text => wrap(escapeControls(text), width - INDENT));
  const [first, ...others] = lines;
  if (first === undefined) return [];
  const title = label === '' ? '' : bold(label);
  return [
    `${title}${' '.repeat(INDENT - label.length)}${first}`,
    ...others.map(line => `${' '.repeat(INDENT)}${line}`),
  ];
}

function placeSection(comparison: Comparison): Section {
  const { firstDivergence } = comparison;
  const diverged = divergedTensor(comparison);
  if (firstDivergence === null || diverged === undefined) return { label: 'Where', paragraphs: [] };
  const { tensor, position, error, budget } = firstDivergence;
  const { row, column, ...worst } = diverged.worst;
  const [ours, theirs] = sideBySide(worst.ours, worst.theirs);
  const paragraphs = [
    `${tensor}, position ${groupDigits(position)}: error ${showSize(error)}, budget ` +
      `${showSize(budget)}; ${howManyBeyond(diverged)}`,
    `farthest at position ${groupDigits(row)}, number ${groupDigits(column)}: the truth is ` +
      `${ours}, theirs ${theirs}; ${showRatio(diverged.maxRatio)} times its budget`,
  ];
  return { label: 'Where', paragraphs };
}

function reasonSections(comparison: Comparison): Section[] {
  const { diagnosis, diagnosisNotes } = comparison;
  const full = diagnosis.slice(0, TOLD_IN_FULL);
  const others = diagnosis.slice(TOLD_IN_FULL).map(({ id }) => id);
  const rest = [
    ...(isUnexplained(comparison) ? [UNKNOWN] : []),
    ...(others.length > 0 ? [`less likely: ${others.join(', ')}`] : []),
    ...diagnosisNotes,
  ];
  const findings = full.map((finding, i) => {
    return { label: i === 0 ? 'Why' : '', paragraphs: findingParagraphs(finding) };
  });
  return [...findings, { label: full.length === 0 ? 'Why' : '', paragraphs: rest }];
}

function findingParagraphs(finding: Finding): string[] {
  const { id, evidence, fix, references, indistinguishableFrom: same } = finding;
  return [
    `${id}: ${titleOf(finding)}`,
    howMuch(finding),
    `seen: ${evidence}`,
    `fix: ${fix}`,
    ...references.map(reference => `see ${reference}`),
    ...(same.length > 0 ? [`cannot be told apart from ${same.join(', ')}`] : []),
  ];
}

function flipsSection({ flips }: Comparison): Section {
  const told = flips
    .slice(0, TOLD)
    .map(
      ({ position, ours, theirs, margin }) =>
        `position ${groupDigits(position)}: token ${ours}, theirs ${theirs}; ahead by ` +
        `${showSize(margin)}`,
    );
  const more = flips.length - told.length;
  const paragraphs = more > 0 ? [...told, `… at ${count(more, 'position')} more`] : told;
  return { label: 'Flips', paragraphs };
}
