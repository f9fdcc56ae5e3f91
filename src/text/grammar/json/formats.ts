/**
 * The values of JSON Schema's `format` that are held to, as patterns: dates and times of RFC 3339
 * §5.6, without leap seconds, and UUIDs of RFC 4122 §3.
 */

const TWO_DIGITS_BY_4 = '(?:0[48]|[2468][048]|[13579][26])';
/** Of the Gregorian calendar: by 4, but of those by 100 only those by 400. */
const LEAP_YEAR = `(?:[0-9]{2}${TWO_DIGITS_BY_4}|(?:00|${TWO_DIGITS_BY_4})00)`;
const DAY_28 = '(?:0[1-9]|1[0-9]|2[0-8])';
const MONTH_DAY = [
  `(?:0[1-9]|1[0-2])-${DAY_28}`,
  '(?:0[13-9]|1[0-2])-(?:29|30)',
  '(?:0[13578]|1[02])-31',
].join('|');
const DATE = `(?:[0-9]{4}-(?:${MONTH_DAY})|${LEAP_YEAR}-02-29)`;

const HOUR_MINUTE = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
const TIME = `${HOUR_MINUTE}:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-]${HOUR_MINUTE})`;

/** By name. */
export const FORMATS: Readonly<Record<string, string>> = {
  date: `^${DATE}$`,
  'date-time': `^${DATE}T${TIME}$`,
  time: `^${TIME}$`,
  uuid: '^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$',
};
