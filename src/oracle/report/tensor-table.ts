/** The tensors in the order of computation, a line each, for a terminal. */
import { escapeControls } from '../../base/escape.js';
import { alignColumns, groupDigits } from '../../base/table.js';
import { type Comparison, conforms, type TensorResult, type Verdict } from '../result.js';
import { showRatio, showSize } from './words/numbers.js';
import { divergedTensor, isBeyond, placeOf, tensorNamesOf, worstTensor } from './words/tensors.js';

/** Up to so many tensors are all shown. */
const FEW = 12;
/** Of those that are wrong by themselves, so many are shown. */
const GUILTY = 4;
/** What a line has besides the name. */
const NUMBERS_WIDTH = 60;

const HEAD = ['tensor', 'verdict', 'error/budget', 'rel L2', 'norm ratio'];
const RIGHT = [2, 3, 4, 5];
const ALONE = "alone: from their own inputs, so that one tensor's error is not seen in the next";

type Painted = (verdict: Verdict) => (text: string) => string;

interface Line {
  readonly name: string;
  readonly verdict: Verdict;
  /** From the tokens alone; from their own inputs if that is all there is. */
  readonly result: TensorResult;
  /** From their own inputs. */
  readonly alone: TensorResult | undefined;
}

/**
 * All tensors, or of many those that matter and how many are between them. A line is painted by
 * its verdict, unless that is a good one.
 */
export function tensorTable(comparison: Comparison, width: number, painted: Painted): string[] {
  const lines = linesOf(comparison);
  if (lines.length === 0) return [];
  const shown = lines.length <= FEW ? lines : thoseThatMatter(lines, comparison);
  const hasAlone = comparison.forced.length > 0;
  const [head, ...rows] = alignColumns(cellsOf(shown, hasAlone, width), RIGHT);
  const texts = new Map(
    shown.map((line, i) => {
      const paint = conforms(line.verdict) ? (text: string) => text : painted(line.verdict);
      return [line, paint(rows[i])];
    }),
  );
  return [head, ...withGaps(lines, texts), ...(hasAlone ? [ALONE] : [])];
}

function linesOf(comparison: Comparison): Line[] {
  const free = new Map(comparison.tensors.map(tensor => [tensor.name, tensor]));
  const forced = new Map(comparison.forced.map(tensor => [tensor.name, tensor]));
  return tensorNamesOf(comparison).map(name => {
    const alone = forced.get(name);
    const result = (free.get(name) ?? alone)!;
    return { name, verdict: result.verdict, result, alone };
  });
}

/** The first that diverges, the worst, those that are wrong by themselves, and the logits. */
function thoseThatMatter(lines: readonly Line[], comparison: Comparison): Line[] {
  const guilty = comparison.forced.filter(({ verdict }) => !conforms(verdict)).slice(0, GUILTY);
  const that = [divergedTensor(comparison), worstTensor(comparison.tensors), ...guilty];
  const names = new Set(['lm_head', ...that.map(tensor => tensor?.name)]);
  return lines.filter(({ name }) => names.has(name));
}

function cellsOf(lines: readonly Line[], hasAlone: boolean, width: number): string[][] {
  const fits = lines.every(({ name }) => name.length <= width - NUMBERS_WIDTH);
  const rows = lines.map(({ name, verdict, result, alone }) => {
    const { maxRatio, relL2, normRatio } = result;
    const numbers = [showRatio(maxRatio), showSize(relL2), showSize(normRatio)];
    const cells = [escapeControls(fits ? name : shortened(name)), verdict, ...numbers];
    return hasAlone ? [...cells, aloneCell(alone)] : cells;
  });
  return [hasAlone ? [...HEAD, 'alone'] : HEAD, ...rows];
}

/** 0.q_rotated: kinds of tensors are told apart by their last word. */
function shortened(name: string): string {
  const { layer, kind } = placeOf(name);
  return layer === undefined ? kind : `${layer}.${kind}`;
}

function aloneCell(alone: TensorResult | undefined): string {
  if (alone === undefined) return '';
  const mark = isBeyond(alone.maxRatio) ? '! ' : '';
  return `${mark}${showRatio(alone.maxRatio)}`;
}

/** The lines that have a text, and where others are missing how many. */
function withGaps(lines: readonly Line[], texts: ReadonlyMap<Line, string>): string[] {
  const out: string[] = [];
  let missing: Line[] = [];
  for (const line of lines) {
    const text = texts.get(line);
    if (text === undefined) missing.push(line);
    else {
      out.push(...gap(missing), text);
      missing = [];
    }
  }
  return [...out, ...gap(missing)];
}

function gap(missing: readonly Line[]): string[] {
  const within = missing.filter(({ verdict }) => conforms(verdict)).length;
  const beyond = missing.length - within;
  return [
    ...(within > 0 ? [`… ${groupDigits(within)} more within budget`] : []),
    ...(beyond > 0 ? [`… ${groupDigits(beyond)} more beyond it`] : []),
  ];
}
