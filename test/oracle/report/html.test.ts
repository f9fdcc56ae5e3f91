/** The page: what is on it, that no text is markup, and that it needs nothing else. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnAt, columnsOf, worstInColumns } from '../../../src/oracle/report/html/columns.js';
import { heatOf } from '../../../src/oracle/report/html/heat.js';
import { errorScale, positionScale } from '../../../src/oracle/report/html/scales.js';
import { SCRIPT, SCRIPT_HASH } from '../../../src/oracle/report/html/script.js';
import { STYLE } from '../../../src/oracle/report/html/style.js';
import { writeHtml } from '../../../src/oracle/report/html.js';
import { contrast } from '../../support/contrast.js';
import {
  anyText,
  comparison,
  conforming,
  finding,
  logitsOnly,
  rowAt,
  tensorOf,
  written,
  wrongRotation,
} from './support.js';
import { type Element, elementsOf, parseXml, skeletonOf, textOf } from './xml.js';

const ofClass = (root: Element, element: string, name: string) =>
  elementsOf(root, element).filter(({ attributes }) =>
    attributes.get('class')?.split(' ').includes(name),
  );

const headings = (root: Element) => elementsOf(root, 'h2').map(textOf);

describe('the page', () => {
  const wrong = parseXml(writeHtml(wrongRotation()));

  it('has the verdict, the pictures, the first wrong tensor, the reason and the flips', () => {
    expect(textOf(elementsOf(wrong, 'h1')[0])).toMatch(/^Differs from layer 0's q_rotated at/);
    expect(headings(wrong)).toEqual([
      ...[
        'Error by tensor and position',
        'Error against position',
        'The first tensor that differs',
      ],
      ...['The reason', 'Where another token is the likeliest', 'What else is to be known'],
    ]);
    const links = elementsOf(wrong, 'a').map(({ attributes }) => attributes.get('href'));
    expect(links).toEqual([
      '#why',
      'https://github.com/vllm-project/vllm/issues/831',
      'https://github.com/ggml-org/llama.cpp/pull/2530',
    ]);
  });

  it('has a map for each mode with a row for each tensor, and one mark', () => {
    const { tensors, forced } = wrongRotation();
    const names = ofClass(wrong, 'div', 'row').map(({ attributes }) => attributes.get('data-name'));
    expect(names.filter(name => name !== undefined)).toEqual(
      [...tensors, ...forced].map(({ name }) => name),
    );
    expect(ofClass(wrong, 'i', 'here')).toHaveLength(1);
    expect(textOf(ofClass(wrong, 'span', 'first')[0])).toBe('q_rotated');
  });

  it('draws each field in its colour, and none where nothing was given', () => {
    const rows = [0.5, 7, 0.5, 0.5].map((ratio, i) => rowAt(i, ratio));
    const page = writeHtml(
      comparison({ tensors: [tensorOf('lm_head', rows), tensorOf('x', [rowAt(4, 0.5)])] }),
    );
    expect(page).toContain('<path class="within-3" d="M0 0h1v1h-1zM2 0h2v1h-2z"/>');
    expect(page).toContain('<path class="beyond-2" d="M1 0h1v1h-1z"/>');
    expect(page).toContain('<path class="within-3" d="M4 0h1v1h-1z"/>');
  });

  it('lays the curve of the bug over theirs, where there is one', () => {
    expect(ofClass(wrong, 'path', 'of-bug')).toHaveLength(1);
    const without = wrongRotation({ diagnosis: [] });
    expect(ofClass(parseXml(writeHtml(without)), 'path', 'of-bug')).toHaveLength(0);
  });

  it('draws of the curve of a bug only what is where theirs is', () => {
    const curve = [0, 1, 2, 9].map(position => ({ position, error: 1e-6 }));
    const page = writeHtml(
      comparison({
        tensors: [tensorOf('lm_head', [rowAt(1, 1), rowAt(2, 1)])],
        diagnosis: [finding({ curve })],
      }),
    );
    expect(page).toMatch(/class="of-bug" d="M0\.0 [\d.]+L1000\.0 [\d.]+"/);
  });

  it('draws what is no number at the top, also where many positions share a place', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => rowAt(i, i === 4000 ? NaN : 0.5));
    const page = writeHtml(comparison({ tensors: [tensorOf('lm_head', rows)] }));
    expect(page).toMatch(/class="theirs" d="[^"]*L[\d.]+ 0\.0L/);
  });

  it('has a table behind every picture, and says so in its label', () => {
    const pictures = elementsOf(wrong, 'div').filter(({ attributes }) => attributes.has('role'));
    expect(pictures).toHaveLength(3);
    for (const { attributes } of pictures)
      expect(attributes.get('aria-label')).toMatch(/The table below has the numbers/);
    expect(elementsOf(wrong, 'details')).toHaveLength(3);
  });

  it('of one that conforms has neither a first wrong tensor nor a reason', () => {
    expect(headings(parseXml(writeHtml(conforming())))).toEqual([
      ...['Error by tensor and position', 'Error against position', 'What else is to be known'],
    ]);
  });

  it('with logits alone has one row', () => {
    const page = parseXml(writeHtml(logitsOnly()));
    expect(ofClass(page, 'div', 'row')).toHaveLength(2); // the other is the axis
    expect(elementsOf(page, 'figure')).toHaveLength(2);
  });

  it('says that the reason is unknown', () => {
    const page = parseXml(writeHtml(comparison({ verdict: 'WRONG' })));
    expect(textOf(page)).toContain('The reason is unknown');
  });

  it('is there for numbers that are none, and for no tensors', () => {
    const rows = [rowAt(0, NaN), rowAt(1, Infinity), rowAt(2, 0)];
    const odd = wrongRotation({ tensors: [tensorOf('lm_head', rows)], forced: [] });
    expect(ofClass(parseXml(writeHtml(odd)), 'path', 'not-finite')).toHaveLength(1);
    expect(writeHtml(odd)).not.toMatch(/d="[^"]*(NaN|Infinity)/);
    const none = wrongRotation({ tensors: [], forced: [], firstDivergence: null });
    expect(headings(parseXml(writeHtml(none)))).toContain('The reason');
  });
});

describe('texts', () => {
  it('are never markup', () => {
    const skeleton = skeletonOf(parseXml(writeHtml(written('x'))));
    fc.assert(
      fc.property(anyText, text => {
        expect(skeletonOf(parseXml(writeHtml(written(text))))).toBe(skeleton);
      }),
    );
  });

  it('are there as they are, control characters shown', () => {
    const page = parseXml(writeHtml(written('a <b> & "c" \x1b[31m 😀')));
    expect(elementsOf(page, 'dd').map(textOf)).toContain('a <b> & "c" ␛[31m 😀');
  });

  it('are links only to the web', () => {
    const page = parseXml(writeHtml(written('javascript:alert(1)')));
    const links = elementsOf(page, 'a').map(({ attributes }) => attributes.get('href'));
    expect(links).toEqual(['#why', 'https://example.org/javascript:alert(1)']);
  });
});

describe('nothing else is needed', () => {
  const page = writeHtml(logitsOnly());
  const policy = elementsOf(parseXml(page), 'meta')
    .map(({ attributes }) => attributes)
    .find(attributes => attributes.has('http-equiv'))
    ?.get('content');

  it('nothing is loaded', () => {
    expect(page).not.toMatch(/\bsrc=|@import|url\(|<link|fetch\(/);
    expect(policy).toMatch(/^default-src 'none'; /);
  });

  it('the one script is the one that may run', () => {
    const hash = createHash('sha256').update(SCRIPT).digest('base64');
    expect(SCRIPT_HASH).toBe(`sha256-${hash}`);
    expect(elementsOf(parseXml(page), 'script').map(textOf)).toEqual([SCRIPT]);
    expect(policy).toContain(`script-src '${SCRIPT_HASH}'`);
  });
});

describe('columns', () => {
  const positionsOf = (count: number) => Array.from({ length: count }, (_, i) => 3 * i);

  it.each([
    [1, 1],
    [128, 128],
    [129, 65],
    [640, 128],
    [32_768, 128],
  ])('%d positions are in %d columns, each in its own', (count, expected) => {
    const rows = positionsOf(count).map(position => rowAt(position, 0.5));
    const columns = columnsOf([tensorOf('a', rows)]);
    expect(columns).toHaveLength(expected);
    const strays = rows.filter(({ position }) => {
      const { from, to } = columns[columnAt(columns, position)];
      return position < from || position > to;
    });
    expect(strays).toEqual([]);
  });

  it('have the largest ratio, none if there is none, and NaN if one is', () => {
    const columns = [
      { from: 0, to: 2 },
      { from: 3, to: 3 },
      { from: 4, to: 6 },
    ];
    const rows = [rowAt(0, 3), rowAt(1, 7), rowAt(2, 5), rowAt(4, NaN), rowAt(5, 9)];
    expect(worstInColumns({ ...tensorOf('a', rows), rows }, columns)).toEqual([7, undefined, NaN]);
  });
});

describe('scales', () => {
  it.each([
    [0.1, 'within-1'],
    [1, 'within-3'],
    [1.0001, 'beyond-1'],
    [1e300, 'beyond-7'],
    [Infinity, 'not-finite'],
    [NaN, 'not-finite'],
  ])('%d has the colour %s', (ratio, name) => expect(heatOf(ratio).name).toBe(name));

  it('positions go from the first to the last, and 0 has a place', () => {
    const { place, marks } = positionScale(0, 32_767);
    expect([place(0), place(32_767)]).toEqual([0, 1]);
    expect(marks.map(({ label }) => label)).toEqual([
      '0',
      '10',
      '100',
      '1,000',
      '10,000',
      '32,767',
    ]);
    expect(positionScale(5, 5).marks).toEqual([{ at: 0, label: '5' }]);
  });

  it('errors are in whole decades, 0 and what is not finite at the ends', () => {
    const { place, marks } = errorScale([3e-7, 2e-3, 0, NaN]);
    expect(marks.map(({ label }) => label)).toEqual([
      ...['0', '10⁻⁷', '10⁻⁶', '10⁻⁵', '10⁻⁴', '10⁻³', '10⁻²', '∞, NaN'],
    ]);
    expect([place(0), place(NaN), place(Infinity)]).toEqual([0, 1, 1]);
    expect(place(1e-3)).toBeGreaterThan(place(1e-4));
    expect(errorScale([]).marks).toHaveLength(2);
  });
});

describe.each(['light', 'dark'] as const)('colours, %s', theme => {
  const colours = new Map(
    [...STYLE.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(
      ([, name, light, dark]) => [name, theme === 'light' ? light : dark],
    ),
  );
  const between = (a: string, b: string) => contrast(colours.get(a)!, colours.get(b)!);

  it('texts have a contrast of 4.5 to 1 at least, as WCAG 2.2 AA asks for', () => {
    for (const front of ['ink', 'soft', 'accent', 'wrong'])
      for (const back of ['paper', 'raised', 'sunken'])
        expect(between(front, back), `${front} on ${back}`).toBeGreaterThanOrEqual(4.5);
    for (const verdict of ['accent', 'drift', 'wrong'])
      expect(between('on-verdict', verdict), verdict).toBeGreaterThanOrEqual(4.5);
  });

  it('lines of the curve have 3 to 1, as parts of pictures must', () => {
    for (const line of ['theirs', 'of-bug', 'accent'])
      for (const back of ['raised', 'band'])
        expect(between(line, back), `${line} on ${back}`).toBeGreaterThanOrEqual(3);
  });

  it('the farther a ratio is, the more its colour differs from the paper', () => {
    for (const kind of ['within', 'beyond']) {
      const names = [...colours.keys()].filter(name => name.startsWith(`${kind}-`));
      const contrasts = names.map(name => between(name, 'raised'));
      expect(names.length).toBeGreaterThan(2);
      for (let i = 1; i < contrasts.length; i++)
        expect(contrasts[i], names[i]).toBeGreaterThan(1.15 * contrasts[i - 1]);
    }
  });
});
