/** The report as JUnit's XML, which machines of continuous integration show. */
import { type Comparison, conforms, type TensorResult } from '../result.js';
import { escapeMarkup } from './words/markup.js';
import { showRatio, showSize, sideBySide } from './words/numbers.js';
import {
  budgetSentence,
  headline,
  howManyBeyond,
  howMuch,
  isUnexplained,
  titleOf,
  UNKNOWN,
} from './words/sentences.js';

interface TestCase {
  /** What groups cases: how the tensor was computed. */
  readonly group: string;
  readonly name: string;
  /** The first line is the message; undefined for what conforms. */
  readonly failure: { readonly type: string; readonly lines: readonly string[] } | undefined;
}

/** A test suite with a case for each tensor, and one for the verdict. XML 1.0. */
export function writeJunit(comparison: Comparison): string {
  const { engine, model, type, tokens, seconds } = comparison;
  const cases = [
    conformance(comparison),
    ...comparison.tensors.map(tensor => tensorCase('free', tensor)),
    ...comparison.forced.map(tensor => tensorCase('forced', tensor)),
  ];
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const counts = { tests: cases.length, failures, errors: 0, time: seconds };
  const properties = { engine, model, type, tokens };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(counts)}>`,
    `  <testsuite${attributes({ name: `llama-32k compare: ${model}`, ...counts })}>`,
    '    <properties>',
    ...Object.entries(properties).map(
      ([name, value]) => `      <property${attributes({ name, value })}/>`,
    ),
    '    </properties>',
    ...cases.flatMap(written),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function conformance(comparison: Comparison): TestCase {
  const { verdict, diagnosis, diagnosisNotes, notes } = comparison;
  const name = { group: 'compare', name: 'conformance' };
  if (conforms(verdict)) return { ...name, failure: undefined };
  const lines = [
    headline(comparison),
    ...(isUnexplained(comparison) ? [UNKNOWN] : []),
    ...diagnosis.flatMap(finding => [
      `${finding.id}: ${titleOf(finding)}; ${howMuch(finding)}`,
      `  seen: ${finding.evidence}`,
      `  fix: ${finding.fix}`,
      ...finding.references.map(reference => `  see ${reference}`),
      ...finding.indistinguishableFrom.map(id => `  cannot be told apart from ${id}`),
    ]),
    ...[...diagnosisNotes, ...notes, budgetSentence(comparison)],
  ];
  return { ...name, failure: { type: verdict, lines } };
}

function tensorCase(group: string, tensor: TensorResult): TestCase {
  const { name, verdict, maxRatio, worst, relL2, normRatio } = tensor;
  if (conforms(verdict)) return { group, name, failure: undefined };
  const [ours, theirs] = sideBySide(worst.ours, worst.theirs);
  const lines = [
    `${verdict}: error is ${showRatio(maxRatio)} times the budget`,
    `position ${worst.row}, number ${worst.column}: the truth is ${ours}, theirs ${theirs}`,
    `relative L2 ${showSize(relL2)}, norm ratio ${showSize(normRatio)}`,
    howManyBeyond(tensor),
  ];
  return { group, name, failure: { type: verdict, lines } };
}

function written({ group, name, failure }: TestCase): string[] {
  const head = `    <testcase${attributes({ classname: group, name })}`;
  if (failure === undefined) return [`${head}/>`];
  const { type, lines } = failure;
  return [
    `${head}>`,
    `      <failure${attributes({ type, message: lines[0] })}>`,
    ...lines.map(escapeMarkup),
    '</failure>',
    '    </testcase>',
  ];
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeMarkup(String(value))}"`)
    .join('');
