/** XML 1.0 as strictly as reports need it: what is not well-formed throws. */

export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: (Element | string)[];
}

const TOKEN = /<(\/?)([A-Za-z][\w-]*)((?:\s+[A-Za-z][\w-]*="[^"<]*")*)\s*(\/?)>|[^<]+/y;
const NOT_A_CHARACTER =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML may not have
  /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/u;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** The root of a document, whatever declares its type before it. */
export function parseXml(text: string): Element {
  if (NOT_A_CHARACTER.test(text)) throw new Error('a character that XML may not have');
  const document: Element = { name: '', attributes: new Map(), children: [] };
  const open = [document];
  TOKEN.lastIndex = /^(<\?xml [^>]*\?>|<!DOCTYPE html>)\s*/.exec(text)?.[0].length ?? 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    if (token === null) throw new Error(`no markup: ${text.slice(at, at + 60)}`);
    const [whole, isEnd, name, attributes, isEmpty] = token;
    const parent = open[open.length - 1];
    if (name === undefined) parent.children.push(decoded(whole));
    else if (isEnd) {
      if (open.pop()!.name !== name) throw new Error(`</${name}> ends another element`);
    } else {
      const element = { name, attributes: attributesOf(attributes), children: [] };
      parent.children.push(element);
      if (!isEmpty) open.push(element);
    }
  }
  const elements = document.children.filter(child => typeof child !== 'string');
  if (open.length !== 1 || elements.length !== 1) throw new Error('not one element');
  return elements[0];
}

function attributesOf(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/([\w-]+)="([^"]*)"/g)];
  const attributes = new Map(pairs.map(([, name, value]) => [name, decoded(value)]));
  if (attributes.size < pairs.length) throw new Error(`an attribute twice:${text}`);
  return attributes;
}

function decoded(text: string): string {
  if (text.includes(']]>')) throw new Error(']]> in a text');
  return text.replace(/&(?:#(\d+);|(\w+);)?/g, (reference, code, name) => {
    if (code !== undefined) return String.fromCodePoint(Number(code));
    if (!Object.hasOwn(ENTITIES, name ?? '')) throw new Error(`no reference: ${reference}`);
    return ENTITIES[name];
  });
}

/** All elements of this name, in the order of the document. */
export function elementsOf(root: Element, name: string): Element[] {
  const below = root.children.flatMap(child =>
    typeof child === 'string' ? [] : elementsOf(child, name),
  );
  return root.name === name ? [root, ...below] : below;
}

export const textOf = ({ children }: Element): string =>
  children.map(child => (typeof child === 'string' ? child : textOf(child))).join('');

/** The document without its texts: names of elements, and of their attributes. */
export const skeletonOf = ({ name, attributes, children }: Element): string =>
  `${name}(${[...attributes.keys()]})[${children
    .map(child => (typeof child === 'string' ? '' : skeletonOf(child)))
    .join('')}]`;
