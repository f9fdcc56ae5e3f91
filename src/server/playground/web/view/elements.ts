/** Elements of the page: found by id, and made. Text is always text, and never markup. */

/** The element of index.html with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element as T;
}

type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** An element; an attribute that is true is there without a value, and one that is false is not. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A picture of index.html's sheet, which says nothing to who does not see it. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button with a picture and words. */
export function button(picture: string, label: string, onClick: () => void): HTMLButtonElement {
  const made = make('button', { type: 'button', class: 'quiet' }, icon(picture), label);
  made.addEventListener('click', onClick);
  return made;
}
