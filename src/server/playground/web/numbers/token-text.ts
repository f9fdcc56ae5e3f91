/** A token as it is shown alone: what cannot be seen gets a sign. */

const SIGNS: Readonly<Record<string, string>> = { ' ': '␣', '\n': '⏎', '\t': '⇥', '\r': '␍' };

/** Blanks at the ends, and line breaks anywhere, by their signs. */
export function visibleToken(token: string): string {
  if (token === '') return '(nothing)';
  return token.replace(/^ +| +$|[\n\t\r]/g, blanks => {
    return [...blanks].map(blank => SIGNS[blank]).join('');
  });
}
