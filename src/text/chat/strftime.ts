/**
 * Python's `strftime` in the C locale, which is where transformers runs it by default: English
 * names whatever the language of the machine. A directive that is not here stays as it is.
 */
export function strftime(date: Date, format: string): string {
  const name = (options: Intl.DateTimeFormatOptions) => date.toLocaleString('en-US', options);
  const two = (value: number) => String(value).padStart(2, '0');
  const hour = date.getHours();
  const directives: Readonly<Record<string, () => string>> = {
    Y: () => String(date.getFullYear()),
    y: () => two(date.getFullYear() % 100),
    m: () => two(date.getMonth() + 1),
    d: () => two(date.getDate()),
    B: () => name({ month: 'long' }),
    b: () => name({ month: 'short' }),
    A: () => name({ weekday: 'long' }),
    a: () => name({ weekday: 'short' }),
    j: () => String(dayOfYear(date)).padStart(3, '0'),
    H: () => two(hour),
    I: () => two(hour % 12 || 12),
    p: () => (hour < 12 ? 'AM' : 'PM'),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    '%': () => '%',
  };
  return format.replace(/%(.)/gs, (directive, letter) => directives[letter]?.() ?? directive);
}

/** 1 for the first of January. */
function dayOfYear(date: Date): number {
  const midday = (month: number, day: number) =>
    Date.UTC(date.getFullYear(), month, day) / 86_400_000;
  return midday(date.getMonth(), date.getDate()) - midday(0, 0);
}
