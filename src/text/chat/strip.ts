/**
 * Python's `strip`, `lstrip` and `rstrip`, and Jinja's filter `trim`, to the character: what they
 * take off would be in the ids. @huggingface/jinja has JavaScript's `trim` in their places, which
 * takes no argument, leaves U+001C … U+001F and U+0085, and takes U+FEFF. So in the syntax tree of
 * a template their calls are made calls of `strip`.
 */

/** The name by which the tree calls `strip`; with its space, it is none that a template can use. */
export const STRIP = 'python strip';

/** What `str.isspace` of Python 3 holds for. */
const WHITE_SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const METHODS: readonly unknown[] = ['strip', 'lstrip', 'rstrip'];

/** `text` without what of `characters`, by default white space, is at its ends. */
export function strip(method: string, text: unknown, characters?: unknown): string {
  if (typeof text !== 'string') throw new Error(`${method} of what is not a string`);
  if (characters === '') return text;
  const some = typeof characters === 'string' ? escapeInClass(characters) : WHITE_SPACE;
  const isStripped = new RegExp(`[${some}]`, 'u');
  let first = 0;
  let end = text.length;
  const head = () => String.fromCodePoint(text.codePointAt(first)!);
  const tail = () => [...text.slice(Math.max(first, end - 2), end)].at(-1)!;
  if (method !== 'rstrip') while (first < end && isStripped.test(head())) first += head().length;
  if (method !== 'lstrip') while (first < end && isStripped.test(tail())) end -= tail().length;
  return text.slice(first, end);
}

const escapeInClass = (characters: string): string => characters.replace(/[\\\]^-]/g, '\\$&');

/** Nodes of the tree, as far as it matters here. */
interface Node {
  type: string;
  value?: unknown;
  callee?: Node;
  args?: Node[];
  object?: Node;
  property?: Node;
  computed?: boolean;
  operand?: Node;
  filter?: Node;
}

/** Replaces all such calls in the tree below `node`. */
export function usePythonStrip(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const children = node instanceof Map ? [...node].flat() : Object.values(node);
  for (const child of children) usePythonStrip(child);
  useStrip(node as Node);
}

function useStrip(node: Node): void {
  const { type, callee, args = [], operand, filter } = node;
  if (type === 'CallExpression' && callee?.type === 'MemberExpression') {
    const { object, property, computed } = callee;
    if (computed || !METHODS.includes(property?.value)) return;
    becomeCall(node, String(property!.value), [object!, ...args]);
  }
  if (type !== 'FilterExpression') return;
  // `x | trim` is x.strip(), `x | trim(y)` is x.strip(y)
  const name = filter?.type === 'CallExpression' ? filter.callee : filter;
  if (name?.value === 'trim') becomeCall(node, 'strip', [operand!, ...(filter?.args ?? [])]);
}

function becomeCall(node: Node, method: string, args: Node[]): void {
  node.type = 'CallExpression';
  node.callee = { type: 'Identifier', value: STRIP };
  node.args = [{ type: 'StringLiteral', value: method }, ...args];
}
