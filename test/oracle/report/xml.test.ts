/** The parser that reports are held against refuses what is not XML. */
import { expect, it } from 'vitest';
import { elementsOf, parseXml, textOf } from './xml.js';

it('reads what is XML', () => {
  const root = parseXml('<?xml version="1.0"?>\n<a x="1 &lt; 2"><b/>t &#39;&amp;<b>u</b></a>');
  expect(root.attributes).toEqual(new Map([['x', '1 < 2']]));
  expect(elementsOf(root, 'b')).toHaveLength(2);
  expect(textOf(root)).toBe("t '&u");
});

it.each([
  ...['<a>', '<a></b>', '<a/><b/>', '</a>', '<a x=1/>', '<a x="1" x="2"/>', '<a x="<"/>'],
  ...['<a>&</a>', '<a>&nbsp;</a>', '<a x="&"/>', '<a>]]></a>', '<a>\x1b</a>', '<a>\ud800</a>'],
  ...['<a>\uffff</a>', '<a>1 < 2</a>', '<a><!-- - --></a>', 'text', ''],
])('refuses %j', text => {
  expect(() => parseXml(text)).toThrow();
});
