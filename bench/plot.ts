/**
 * A plot of points and the lines through them, as an SVG file that needs nothing else. Both axes
 * begin at 0.
 */
import type { Line, Point } from './line.js';

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
  readonly line: Line;
  /** What the line says. */
  readonly legend: string;
}

export interface Plot {
  readonly title: string;
  readonly caption: readonly string[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Distance of the marks on the x axis. */
  readonly xStep: number;
  readonly series: readonly Series[];
}

const [WIDTH, HEIGHT] = [960, 600];
const [LEFT, RIGHT, TOP, BOTTOM] = [80, 930, 110, 490];

export function svgOf({ title, caption, xLabel, yLabel, xStep, series }: Plot): string {
  const points = series.flatMap(({ points }) => points);
  const xEnd = Math.ceil(Math.max(...points.map(({ x }) => x)) / xStep) * xStep;
  const yMost = Math.max(...points.map(({ y }) => y));
  const yStep = niceStep(yMost / 6);
  const yEnd = Math.ceil(yMost / yStep) * yStep;
  const place = ({ x, y }: Point): Point => ({
    x: LEFT + (x / xEnd) * (RIGHT - LEFT),
    y: BOTTOM - (y / yEnd) * (BOTTOM - TOP),
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
      'font-family="system-ui, sans-serif" font-size="14" fill="#222">',
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 34, title, 'font-size="20" font-weight="600"'),
    ...series.map((one, i) => legend(one, 62 + 22 * i)),
    ...marks(xEnd, xStep).flatMap(x => {
      const at = place({ x, y: 0 }).x;
      return [
        stroke(at, BOTTOM, at, BOTTOM + 6, '#222'),
        text(at, BOTTOM + 22, grouped(x), 'text-anchor="middle"'),
      ];
    }),
    ...marks(yEnd, yStep).flatMap(y => {
      const at = place({ x: 0, y }).y;
      const label = text(LEFT - 10, at + 5, grouped(y), 'text-anchor="end"');
      return [stroke(LEFT, at, RIGHT, at, y === 0 ? '#222' : '#ddd'), label];
    }),
    ...series.flatMap(one => drawn(one, place)),
    text((LEFT + RIGHT) / 2, BOTTOM + 46, xLabel, 'text-anchor="middle"'),
    text(
      0,
      0,
      yLabel,
      `text-anchor="middle" transform="translate(24 ${(TOP + BOTTOM) / 2}) rotate(-90)"`,
    ),
    ...caption.map((line, i) =>
      text(LEFT, BOTTOM + 74 + 18 * i, line, 'font-size="12" fill="#666"'),
    ),
    '</svg>',
    '',
  ].join('\n');
}

function legend({ name, colour, legend }: Series, y: number): string {
  const dot = `<circle cx="${LEFT + 5}" cy="${y - 5}" r="5" fill="${colour}"/>`;
  return dot + text(LEFT + 18, y, `${name}: ${legend}`);
}

function drawn({ colour, points, line }: Series, place: (point: Point) => Point): string[] {
  const xs = points.map(({ x }) => x);
  const [from, to] = [Math.min(...xs), Math.max(...xs)].map(x =>
    place({ x, y: line.start + line.slope * x }),
  );
  const dots = points
    .map(place)
    .map(({ x, y }) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5"/>`);
  return [
    stroke(from.x, from.y, to.x, to.y, colour),
    `<g fill="${colour}" fill-opacity="0.6">${dots.join('')}</g>`,
  ];
}

function stroke(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map(x => x.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${colour}" stroke-width="1.5"/>`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replace(/[&<]/g, sign => (sign === '&' ? '&amp;' : '&lt;'));
}

function marks(end: number, step: number): number[] {
  return Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
}

/** The smallest of 1, 2, 5, 10, 20, 50 … and their tenths that is at least `step`. */
function niceStep(step: number): number {
  const unit = 10 ** Math.floor(Math.log10(step));
  return unit * [1, 2, 5, 10].find(factor => factor * unit >= step)!;
}

function grouped(x: number): string {
  return Number(x.toPrecision(6)).toLocaleString('en');
}
