/** Parts of a JSON value of which nothing is known. */

/** What is at `path`; undefined if there is no such thing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let part = value;
  for (const step of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, step)) return undefined;
    part = (part as Record<string | number, unknown>)[step];
  }
  return part;
}

export function listAt(
  value: unknown,
  ...path: readonly (string | number)[]
): readonly unknown[] | undefined {
  const part = at(value, ...path);
  return Array.isArray(part) ? part : undefined;
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const part = at(value, ...path);
  return typeof part === 'string' ? part : undefined;
}

export function numberAt(
  value: unknown,
  ...path: readonly (string | number)[]
): number | undefined {
  const part = at(value, ...path);
  return typeof part === 'number' ? part : undefined;
}
