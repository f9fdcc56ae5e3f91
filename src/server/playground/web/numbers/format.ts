/** Numbers, as people read them. */

const INTEGER = new Intl.NumberFormat('en');
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const PERCENT = new Intl.NumberFormat('en', { style: 'percent', maximumSignificantDigits: 3 });

/** 32,768 */
export const formatInteger = (value: number): string => INTEGER.format(value);

/** 2.1M */
export const formatCompact = (value: number): string => COMPACT.format(value);

/** The probability of a natural logarithm: 97.3 %, and never 0 % of what came. */
export function formatProbability(logprob: number): string {
  const probability = Math.exp(logprob);
  if (probability < 0.0001) return '< 0.01%';
  if (probability < 1 && probability > 0.9999) return '> 99.99%';
  return PERCENT.format(probability);
}

/** "1 token", "32,768 tokens" */
export const formatTokens = (count: number): string =>
  `${formatInteger(count)} ${count === 1 ? 'token' : 'tokens'}`;

/** In steps that do not flicker: "about 20 s", "about 3 min", "about 2 h". */
export function formatDuration(seconds: number): string {
  if (seconds < 10) return `about ${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 55) return `about ${Math.ceil(seconds / 5) * 5} s`;
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} min`;
  return `about ${formatInteger(Math.round(seconds / 360) / 10)} h`;
}
