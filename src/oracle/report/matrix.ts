/**
 * The kill matrix: which bugs a comparison finds, and by which vectors. It says what a pass means.
 */
import { escapeControls } from '../../base/escape.js';
import { groupDigits } from '../../base/table.js';
import { type JsonNumber, jsonNumber } from './json.js';
import { count, showPart, showRatio } from './words/numbers.js';
import { isBeyond } from './words/tensors.js';

/** How far beyond the budget a bug is in a vector, or why it changes nothing there. */
export type Cell = { readonly ratio: number } | { readonly equivalent: string };

export interface MatrixRow {
  readonly id: string;
  readonly name: string;
  readonly variant: string;
  /** One for each vector. */
  readonly cells: readonly Cell[];
  /** The id that a diagnosis of all vectors names first. */
  readonly diagnosed: string | undefined;
}

export interface KillMatrix {
  readonly vectors: readonly string[];
  readonly rows: readonly MatrixRow[];
}

type Fate = 'killed' | 'survived' | 'equivalent';

function fateOf(cell: Cell): Fate {
  if ('equivalent' in cell) return 'equivalent';
  return isBeyond(cell.ratio) ? 'killed' : 'survived';
}

/** Of several cells: killed by one is killed. */
function fateOfAll(cells: readonly Cell[]): Fate {
  const fates = cells.map(fateOf);
  if (fates.includes('killed')) return 'killed';
  return fates.includes('survived') ? 'survived' : 'equivalent';
}

interface Summary {
  readonly mutants: number;
  /** That change nothing in any vector. */
  readonly equivalent: number;
  readonly killed: number;
  /** Killed, and the diagnosis names the right bug first. */
  readonly named: number;
  readonly survived: readonly MatrixRow[];
}

function summaryOf(rows: readonly MatrixRow[]): Summary {
  const having = (fate: Fate) => rows.filter(({ cells }) => fateOfAll(cells) === fate);
  const killed = having('killed');
  return {
    mutants: rows.length,
    equivalent: having('equivalent').length,
    killed: killed.length,
    named: killed.filter(({ id, diagnosed }) => id === diagnosed).length,
    survived: having('survived'),
  };
}

/** The matrix for people: a sentence with what it comes to, a table, and reasons. */
export function writeMatrix({ vectors, rows }: KillMatrix): string {
  const reasons = reasonsOf(rows);
  const head = ['id', 'mutant', ...vectors.map(escapeMarkdown), 'named'];
  const rule = ['---', '---', ...vectors.map(() => '---:'), '---'];
  const table = [head, rule, ...rows.map(row => markdownRow(row, reasons)), totals(vectors, rows)];
  return [
    summarySentence(summaryOf(rows)),
    '',
    'A number is error / budget where that is largest; above 1 the mutant is killed.',
    '',
    ...table.map(cells => `| ${cells.join(' | ')} |`),
    ...(reasons.length > 0 ? ['', 'Equivalent, because', ''] : []),
    ...reasons.map((reason, i) => `${i + 1}. ${escapeMarkdown(reason)}`),
    '',
  ].join('\n');
}

function summarySentence({ mutants, equivalent, killed, named, survived }: Summary): string {
  const different = mutants - equivalent;
  const names = survived.map(row => escapeMarkdown(titleOf(row)));
  return (
    `Of ${count(mutants, 'mutant')} ${groupDigits(equivalent)} change nothing in any vector; of ` +
    `the others ${share(killed, different)} are killed, and of these ${share(named, killed)} are ` +
    `named rightly.${names.length > 0 ? ` Survived: ${names.join(', ')}.` : ''}`
  );
}

const titleOf = ({ id, variant }: MatrixRow): string =>
  variant === '' ? id : `${id} (${variant})`;

function share(part: number, all: number): string {
  const percent = all === 0 ? '' : ` (${showPart(part / all)})`;
  return `${groupDigits(part)} of ${groupDigits(all)}${percent}`;
}

function markdownRow(row: MatrixRow, reasons: readonly string[]): string[] {
  const { id, name, variant, cells, diagnosed } = row;
  return [
    escapeMarkdown(id),
    escapeMarkdown(variant === '' ? name : `${name} (${variant})`),
    ...cells.map(cell => {
      if ('equivalent' in cell) return `equivalent, ${reasons.indexOf(cell.equivalent) + 1}`;
      return isBeyond(cell.ratio) ? showRatio(cell.ratio) : `**survived** ${showRatio(cell.ratio)}`;
    }),
    diagnosed === id ? '✓' : escapeMarkdown(diagnosed ?? '–'),
  ];
}

/** Of each vector, how many of those that it could kill it does. */
function totals(vectors: readonly string[], rows: readonly MatrixRow[]): string[] {
  const perVector = vectors.map((_, v) => {
    const fates = rows.map(({ cells }) => fateOf(cells[v]));
    const killed = fates.filter(fate => fate === 'killed').length;
    const different = fates.filter(fate => fate !== 'equivalent').length;
    return `${groupDigits(killed)} of ${groupDigits(different)}`;
  });
  const named = rows.filter(({ id, diagnosed }) => id === diagnosed).length;
  return ['', '**killed**', ...perVector, groupDigits(named)];
}

/** Each reason once, in the order in which the table comes to them. */
function reasonsOf(rows: readonly MatrixRow[]): string[] {
  const cells = rows.flatMap(({ cells }) => cells);
  return [...new Set(cells.flatMap(cell => ('equivalent' in cell ? [cell.equivalent] : [])))];
}

/** `text` in a cell of a table, or a line of a list, as text. */
const escapeMarkdown = (text: string): string =>
  escapeControls(text).replace(/[\\`*_[\]<>|&~]/g, '\\$&');

export interface MatrixJson {
  readonly summary: {
    readonly mutants: number;
    readonly equivalent: number;
    readonly killed: number;
    readonly survived: number;
    readonly named: number;
  };
  readonly vectors: readonly string[];
  readonly rows: readonly {
    readonly id: string;
    readonly name: string;
    readonly variant: string;
    readonly cells: readonly (
      | { readonly fate: 'killed' | 'survived'; readonly ratio: JsonNumber }
      | { readonly fate: 'equivalent'; readonly reason: string }
    )[];
    readonly diagnosed: string | null;
  }[];
}

/** The matrix for programs; for numbers that are not finite see `json.ts`. */
export function toMatrixJson({ vectors, rows }: KillMatrix): MatrixJson {
  const { survived, ...summary } = summaryOf(rows);
  return {
    summary: { ...summary, survived: survived.length },
    vectors,
    rows: rows.map(({ id, name, variant, cells, diagnosed }) => {
      return { id, name, variant, cells: cells.map(cellJson), diagnosed: diagnosed ?? null };
    }),
  };
}

function cellJson(cell: Cell): MatrixJson['rows'][number]['cells'][number] {
  if ('equivalent' in cell) return { fate: 'equivalent', reason: cell.equivalent };
  return { fate: isBeyond(cell.ratio) ? 'killed' : 'survived', ratio: jsonNumber(cell.ratio) };
}
