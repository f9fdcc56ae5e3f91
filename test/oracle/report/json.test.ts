/** The report for programs: its fields are a contract. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonNumber, toReportJson } from '../../../src/oracle/report/json.js';
import {
  anyText,
  conforming,
  logitsOnly,
  rowAt,
  tensorOf,
  written,
  wrongRotation,
} from './support.js';

/** All the ways to what is in `value`, indices of arrays left out. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  if (Array.isArray(value)) return value.flatMap(item => fieldsOf(item, `${path}[]`));
  return Object.entries(value).flatMap(([key, item]) => fieldsOf(item, `${path}.${key}`));
}

const TENSOR = [
  ...['name', 'verdict', 'maxRatio', 'worst.row', 'worst.column', 'worst.ours', 'worst.theirs'],
  ...['relL2', 'normRatio'],
];

describe('the fields', () => {
  it('are those of the contract, and no others', () => {
    expect([...new Set(fieldsOf(toReportJson(written('x'))))]).toEqual([
      ...['.verdict', '.engine', '.type', '.model', '.tokens'],
      ...['tensor', 'position', 'error', 'budget'].map(name => `.firstDivergence.${name}`),
      ...TENSOR.map(name => `.tensors[].${name}`),
      ...TENSOR.map(name => `.forced[].${name}`),
      ...['id', 'name', 'variant', 'explains', 'evidence', 'fix'].map(
        name => `.diagnosis[].${name}`,
      ),
      ...['.diagnosis[].references[]', '.diagnosis[].indistinguishableFrom[]'],
      ...['position', 'ours', 'theirs', 'margin'].map(name => `.flips[].${name}`),
      ...['.notes[]', '.falseAlarmRate', '.samples', '.seconds'],
    ]);
  });

  it('firstDivergence is null where there is none', () => {
    expect(toReportJson(conforming()).firstDivergence).toBeNull();
  });

  it('notes have those about the diagnosis, too', () => {
    const { notes, diagnosisNotes } = logitsOnly();
    expect(toReportJson(logitsOnly()).notes).toEqual([...notes, ...diagnosisNotes]);
  });
});

describe('numbers', () => {
  it('that are not finite are texts, nowhere null', () => {
    const row = { position: 0, error: NaN, budget: Infinity, ratio: NaN };
    const tensors = [
      { ...tensorOf('lm_head', [row]), relL2: Infinity, normRatio: -Infinity, maxRatio: NaN },
    ];
    const firstDivergence = { tensor: 'lm_head', position: 0, error: NaN, budget: Infinity };
    const json = JSON.stringify(toReportJson(wrongRotation({ tensors, firstDivergence })));
    expect(json).not.toContain('null');
    expect(JSON.parse(json)).toMatchObject({
      firstDivergence: { error: 'NaN', budget: 'Infinity' },
      tensors: [{ maxRatio: 'NaN', relL2: 'Infinity', normRatio: '-Infinity' }],
    });
  });

  it('are the same after JSON, and so are texts', () => {
    fc.assert(
      fc.property(anyText, fc.double(), (text, x) => {
        const comparison = written(text);
        const tensors = [{ ...tensorOf(text, [rowAt(1, 7)]), maxRatio: x, relL2: x, normRatio: x }];
        const json = toReportJson({ ...comparison, tensors, seconds: x, falseAlarmRate: x });
        const back = JSON.parse(JSON.stringify(json));
        // a well-formed text: JSON writes halves of characters as escapes, which come back
        expect(back.model).toBe(text);
        expect(back.diagnosis[0].references).toEqual(comparison.diagnosis[0].references);
        expect(Number(back.tensors[0].maxRatio)).toBe(x === 0 ? 0 : x);
        expect(Number(back.seconds)).toBe(x === 0 ? 0 : x);
        expect(JSON.stringify(back)).toBe(JSON.stringify(json));
      }),
    );
    expect([NaN, Infinity, -Infinity, 0.5].map(jsonNumber)).toEqual([
      ...['NaN', 'Infinity', '-Infinity', 0.5],
    ]);
  });
});
