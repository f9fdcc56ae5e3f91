/**
 * What tells the bytes of a file from all others without reading all of them: for those who keep
 * what they made of it.
 */

/** Something that may know that. */
export interface Identified {
  /**
   * A text that is another one when the bytes are others; undefined if nothing tells. What it
   * cannot see is in `file-identity.ts`.
   */
  identify?(): Promise<string | undefined>;
}

/** Of several things together, in their order; undefined if nothing tells it of one of them. */
export async function identifyAll(parts: readonly Identified[]): Promise<string | undefined> {
  const identities: string[] = [];
  for (const part of parts) {
    const identity = await part.identify?.();
    if (identity === undefined) return undefined;
    identities.push(identity);
  }
  return identities.join(' ');
}
