/** The report for machines of continuous integration. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeJunit } from '../../../src/oracle/report/junit.js';
import { anyText, conforming, written, wrongRotation } from './support.js';
import { type Element, elementsOf, parseXml, skeletonOf, textOf } from './xml.js';

const casesOf = (root: Element) =>
  new Map(
    elementsOf(root, 'testcase').map(element => {
      const { attributes } = element;
      return [`${attributes.get('classname')} ${attributes.get('name')}`, element];
    }),
  );

describe('JUnit', () => {
  it('has a case for each tensor in each mode and one for the verdict', () => {
    const comparison = wrongRotation();
    const cases = casesOf(parseXml(writeJunit(comparison)));
    expect([...cases.keys()]).toEqual([
      'compare conformance',
      ...comparison.tensors.map(({ name }) => `free ${name}`),
      ...comparison.forced.map(({ name }) => `forced ${name}`),
    ]);
  });

  it('those that do not conform have failed, with the evidence', () => {
    const cases = casesOf(parseXml(writeJunit(wrongRotation())));
    const failureOf = (name: string) => elementsOf(cases.get(name)!, 'failure').at(0);
    const verdict = failureOf('compare conformance')!;
    expect(verdict.attributes.get('type')).toBe('WRONG');
    expect(verdict.attributes.get('message')).toMatch(/^WRONG: differs from layer 0's q_rotated/);
    expect(textOf(verdict)).toContain('rope.factor-ignored: The factor of linear scaling');
    expect(textOf(verdict)).toContain('see https://github.com/vllm-project/vllm/issues/831');
    const tensor = failureOf('forced model.layers.0.self_attn.q_rotated')!;
    expect(textOf(tensor)).toMatch(/the truth is 0\.123457, theirs -/);
    expect(failureOf('free model.layers.0.self_attn.q_proj')).toBeUndefined();
    expect(failureOf('forced lm_head')).toBeUndefined();
  });

  it.each([
    ['wrong', wrongRotation()],
    ['conforming', conforming()],
  ])('counts its cases and failures: %s', (_, comparison) => {
    const root = parseXml(writeJunit(comparison));
    for (const element of [root, ...elementsOf(root, 'testsuite')]) {
      const count = (name: string) => Number(element.attributes.get(name));
      expect(count('tests')).toBe(elementsOf(root, 'testcase').length);
      expect(count('failures')).toBe(elementsOf(root, 'failure').length);
    }
  });

  it('is the same XML whatever the texts are', () => {
    const skeleton = skeletonOf(parseXml(writeJunit(written('x'))));
    fc.assert(
      fc.property(anyText, text => {
        expect(skeletonOf(parseXml(writeJunit(written(text))))).toBe(skeleton);
      }),
    );
  });

  it('has the texts as they are, control characters shown', () => {
    const root = parseXml(writeJunit(written('a <b> & "c" \x1b[31m 😀')));
    expect(casesOf(root).has('free a <b> & "c" ␛[31m 😀')).toBe(true);
  });
});
