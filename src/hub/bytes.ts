const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Such as 13.5 GB: powers of 1,000, as the hub counts. */
export function showBytes(bytes: number): string {
  let power = 0;
  while (power < UNITS.length - 1 && bytes >= 1000 ** (power + 1)) power += 1;
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}
