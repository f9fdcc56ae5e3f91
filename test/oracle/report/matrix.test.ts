/** The kill matrix: what it counts, and that nothing in it breaks its table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type KillMatrix,
  type MatrixRow,
  toMatrixJson,
  writeMatrix,
} from '../../../src/oracle/report/matrix.js';
import { anyText } from './support.js';

const row = (id: string, cells: MatrixRow['cells'], diagnosed?: string): MatrixRow => {
  return { id, name: `bug of ${id}`, variant: '', cells, diagnosed };
};

const MATRIX: KillMatrix = {
  vectors: ['toy', 'long'],
  rows: [
    row('rope.theta', [{ ratio: 4321 }, { ratio: 0.2 }], 'rope.theta'),
    row('norm.eps', [{ ratio: 1.004 }, { ratio: NaN }], 'rope.theta'),
    { ...row('mlp.up', [{ ratio: 0.97 }, { equivalent: 'no up' }]), variant: 'gelu' },
    row('head.tied', [{ equivalent: 'tied' }, { equivalent: 'no up' }]),
  ],
};

/** The rows of the table, without head and rule. */
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter(line => line.startsWith('| '))
    .slice(2)
    .map(line => line.slice(2, -2).split(' | '));

describe('as Markdown', () => {
  const text = writeMatrix(MATRIX);

  it('begins with what it comes to', () => {
    expect(text.split('\n')[0]).toBe(
      'Of 4 mutants 1 change nothing in any vector; of the others 2 of 3 (66.7 %) are killed, ' +
        'and of these 1 of 2 (50 %) are named rightly. Survived: mlp.up (gelu).',
    );
  });

  it('has a row for each mutant and a column for each vector', () => {
    expect(rowsOf(text)).toEqual([
      ['rope.theta', 'bug of rope.theta', '4,300', '**survived** 0.2', '✓'],
      ['norm.eps', 'bug of norm.eps', '1.004', 'NaN', 'rope.theta'],
      ['mlp.up', 'bug of mlp.up (gelu)', '**survived** 0.97', 'equivalent, 1', '–'],
      ['head.tied', 'bug of head.tied', 'equivalent, 2', 'equivalent, 1', '–'],
      ['', '**killed**', '2 of 3', '1 of 2', '1'],
    ]);
  });

  it('has each reason once', () => {
    expect(text).toMatch(/because\n\n1\. no up\n2\. tied\n$/);
  });

  it('has as many cells in every row, whatever the texts are', () => {
    fc.assert(
      fc.property(anyText, text => {
        const rows = [{ ...row(text, [{ ratio: 2 }, { equivalent: text }], text), name: text }];
        const lines = writeMatrix({ vectors: [text, text], rows }).split('\n');
        const table = lines.filter(line => line.startsWith('| '));
        expect(table).toHaveLength(4);
        for (const line of table) expect(line.match(/(?<!\\)(?:\\\\)*\|/g)).toHaveLength(6);
        expect(lines.join('')).not.toMatch(/(?<!\\)(?:\\\\)*</);
      }),
    );
  });

  it('is there for no mutants', () => {
    expect(writeMatrix({ vectors: ['toy'], rows: [] })).toMatch(/^Of 0 mutants 0 change nothing/);
  });
});

it('as JSON it has the same counts, fates and reasons, and no null for a number', () => {
  const json = JSON.parse(JSON.stringify(toMatrixJson(MATRIX)));
  expect(json.summary).toEqual({ mutants: 4, equivalent: 1, killed: 2, named: 1, survived: 1 });
  expect(json.vectors).toEqual(MATRIX.vectors);
  expect(json.rows[1].cells).toEqual([
    { fate: 'killed', ratio: 1.004 },
    { fate: 'killed', ratio: 'NaN' },
  ]);
  expect(json.rows[2]).toMatchObject({
    variant: 'gelu',
    cells: [
      { fate: 'survived', ratio: 0.97 },
      { fate: 'equivalent', reason: 'no up' },
    ],
    diagnosed: null,
  });
});
