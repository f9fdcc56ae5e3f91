/**
 * `node demo/demo.js | node scripts/terminal-picture.js 'npm run demo' > docs/demo.svg`: what a
 * program prints, as a picture of a terminal for README. The first argument is the command shown.
 */
import { text } from 'node:stream/consumers';

const COLUMNS = 92;
const [WIDTH, LINE, LEFT, TOP] = [8.43, 19, 18, 46];

const lines = [`$ ${process.argv[2] ?? ''}`, ...fold(await text(process.stdin))];
const height = TOP + LINE * lines.length + 12;
const width = Math.ceil(2 * LEFT + COLUMNS * WIDTH);

console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">
<style>
text { font: 14px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d6deeb }
.command { fill: #82aaff } .right { fill: #7fdbca } .wrong { fill: #ff9a8b }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#101722"/>
<circle cx="20" cy="18" r="5" fill="#ff5f57"/><circle cx="38" cy="18" r="5" fill="#febc2e"/>
<circle cx="56" cy="18" r="5" fill="#28c840"/>
${lines.map(element).join('\n')}
</svg>`);

/** The lines of `printed`, cut where the picture ends. @param {string} printed */
function fold(printed) {
  const cut = new RegExp(`.{1,${COLUMNS}}`, 'gu');
  return printed
    .trim()
    .split('\n')
    .flatMap(line => line.match(cut) ?? ['']);
}

/**
 * @param {string} line
 * @param {number} i
 */
function element(line, i) {
  const y = TOP + LINE * i;
  const kind = i === 0 ? 'command' : /^ *(right|wrong)\b/.exec(line)?.[1];
  const attribute = kind === undefined ? '' : ` class="${kind}"`;
  return `<text x="${LEFT}" y="${y}" xml:space="preserve"${attribute}>${escaped(line)}</text>`;
}

/** @param {string} line */
function escaped(line) {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
