/** Tables, lines and counts for people. */

/**
 * Rows of cells as lines, every column as wide as its widest cell; the columns in `right`, numbers
 * mostly, end at the same place.
 */
export function alignColumns(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const widths = rows[0].map((_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column].length), 0),
  );
  const padded = (cell: string, column: number) =>
    right.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
  return rows.map(row => row.map(padded).join('  ').trimEnd());
}

/** 1,234,567. */
export const groupDigits = (count: number): string => count.toLocaleString('en-US');

/** `text` in lines of `width` at most, but for words that are longer. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
