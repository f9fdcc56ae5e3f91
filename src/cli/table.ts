/** Tables for people. */

/** Rows of cells as lines, every column as wide as its widest cell; the columns in `right`, numbers mostly, end at the same place. */
export function aligned(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  const padded = (cell: string, column: number) =>
    right.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
  return rows.map(row => row.map(padded).join('  ').trimEnd());
}

/** 1,234,567. */
export const grouped = (count: number): string => count.toLocaleString('en-US');

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** 999 bytes, 13.5 GB: three digits, and units of 1,000 as disks and hubs have them. */
export function readableBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 999.5 && unit < UNITS.length - 1; unit++) size /= 1000;
  return `${unit === 0 ? size : size.toPrecision(3)} ${UNITS[unit]}`;
}
