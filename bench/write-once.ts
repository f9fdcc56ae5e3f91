import { stat, writeFile } from 'node:fs/promises';

/**
 * Writes a file that begins with the first of `pieces` and goes on with `dataBytes` more, unless
 * there is one of that size already: a run that was cut short leaves a smaller one.
 */
export async function writeOnce(
  path: string,
  pieces: AsyncGenerator<Uint8Array>,
  dataBytes: number,
): Promise<void> {
  const { value: header } = await pieces.next();
  const present = await stat(path).catch(() => undefined);
  if (present?.size === header.length + dataBytes) return;
  await writeFile(path, header);
  // Flushed, or else the disk is still busy while the first figures are taken.
  await writeFile(path, pieces, { flag: 'a', flush: true });
}
