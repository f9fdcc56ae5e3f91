/** The name that somebody may have meant. */

/** Names of tensors have at most some forty characters; what is longer is not compared whole. */
const COMPARED = 80;

/** The one of `known` that takes the fewest changes of a character to make of `name`. */
export function nearest(name: string, known: Iterable<string>): string {
  const start = name.slice(0, COMPARED);
  let best = { name: '', distance: Infinity };
  for (const one of known) {
    const distance = editDistance(start, one.slice(0, COMPARED));
    if (distance < best.distance) best = { name: one, distance };
  }
  return best.name;
}

/** Levenshtein's: characters to insert, to leave out, or to replace. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j); // of '' and the first j of b
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j] + 1, row[j - 1] + 1));
    }
    above = row;
  }
  return above[b.length];
}
