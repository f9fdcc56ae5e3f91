/** The report for people at a terminal. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeReport } from '../../../src/oracle/report/terminal.js';
import {
  anyText,
  conforming,
  finding,
  logitsOnly,
  rowAt,
  tensorOf,
  written,
  wrongRotation,
} from './support.js';

const plain = { width: 100, colour: false };
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');

describe('the report', () => {
  it('has the verdict first, then the place, then the reason', () => {
    const report = writeReport(wrongRotation(), plain);
    const order = [
      ...['WRONG: ', 'Where ', 'q_rotated, position 1:', 'the truth is', 'tensor ', 'Why ', 'fix:'],
      ...['https://github.com/vllm-project/vllm/issues/831', 'Flips ', 'position 17: token 263'],
      ...['Budget ', 'once in 1,000 comparisons', '640 tokens of golden/conformance/toy'],
    ];
    expect(report.startsWith('WRONG: ')).toBe(true);
    const places = order.map(text => report.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('of a model with many tensors tells those that matter, and counts the others', () => {
    const lines = writeReport(wrongRotation(), plain).split('\n');
    const from = lines.findIndex(line => line.startsWith('tensor '));
    const table = lines.slice(from + 1, from + 10).map(line => line.split(/ {2,}/)[0]);
    expect(table).toEqual([
      '… 5 more within budget',
      'model.layers.0.self_attn.q_rotated',
      'model.layers.0.self_attn.k_rotated',
      '… 14 more beyond it',
      'model.layers.1.self_attn.q_rotated',
      'model.layers.1.self_attn.k_rotated',
      '… 11 more beyond it',
      'lm_head',
      "alone: from their own inputs, so that one tensor's error is not seen in the next",
    ]);
  });

  it('marks what is wrong by itself', () => {
    const report = writeReport(wrongRotation(), plain);
    expect(report).toMatch(/q_rotated +WRONG .* ! [\d,]+\n/);
    expect(report).toMatch(/lm_head +WRONG .* 0\.\d+\n/);
    expect(writeReport(logitsOnly(), plain)).not.toContain('alone');
  });

  it('of one that conforms has no place and no reason', () => {
    const report = writeReport(conforming(), plain);
    expect(report).toMatch(/^WITHIN_BUDGET: conforms/);
    expect(report).not.toMatch(/^(Where|Why|Flips|Notes)/m);
    expect(report).toMatch(/^… 32 more within budget$/m);
  });

  it('says plainly that the reason is unknown, and what would tell', () => {
    const diagnosisNotes = ['the keys would tell'];
    const report = writeReport(wrongRotation({ diagnosis: [], diagnosisNotes }), plain);
    expect(report).toMatch(/^Why +unknown: .*\n +the keys would tell$/m);
    expect(report).not.toContain('rope.');
  });

  it('tells what cannot be told apart, and that there is something else', () => {
    const report = writeReport(logitsOnly(), plain);
    expect(report).toMatch(/cannot be told apart from rope\.frequencies-bf16/);
    expect(report).toMatch(/explains 87\.1 % of .*\n? *something else/s);
  });

  it('counts what it does not tell', () => {
    const flips = Array.from({ length: 1007 }, (_, position) => {
      return { position, ours: 1, theirs: 2, margin: 1 };
    });
    const diagnosis = ['a', 'b', 'c', 'd.e', 'f.g'].map(id => finding({ id }));
    const report = writeReport(wrongRotation({ flips, diagnosis }), plain);
    expect(report).toContain('… at 1,002 positions more');
    expect(report).toContain('less likely: d.e, f.g');
  });
});

describe('lines', () => {
  it.each([60, 80, 120])('have %d columns at most, but for the table', width => {
    const tensors = [tensorOf('lm_head', [rowAt(0, 7)])];
    const report = writeReport(wrongRotation({ tensors, forced: [] }), { width, colour: false });
    const long = report.split('\n').filter(line => line.length > width);
    expect(long).toEqual([]);
  });

  it('have short names where the long ones do not fit', () => {
    const narrow = writeReport(wrongRotation(), { width: 80, colour: false });
    expect(narrow).toMatch(/^0\.q_rotated +WRONG/m);
    const table = narrow.split('\n').filter(line => line.includes('  WRONG  '));
    expect(Math.max(...table.map(line => line.length))).toBeLessThanOrEqual(80);
  });

  it('say the same with colours and without', () => {
    for (const comparison of [conforming(), wrongRotation(), logitsOnly()]) {
      const coloured = writeReport(comparison, { width: 80, colour: true });
      const plain = writeReport(comparison, { width: 80, colour: false });
      expect(coloured).not.toBe(plain);
      expect(coloured.replace(COLOURS, '')).toBe(plain);
    }
  });

  it('have no character that a terminal obeys, but our colours', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, colour) => {
        const report = writeReport(written(text), { width: 80, colour });
        expect(colour ? report.replace(COLOURS, '') : report).not.toMatch(/(?!\n)\p{Cc}/u);
      }),
      { numRuns: 50 },
    );
  });
});
