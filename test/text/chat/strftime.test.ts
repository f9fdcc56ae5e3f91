/** Python's `time.strftime` in the C locale: `LC_ALL=C python3 -c 'time.strftime(…)'`. */
import { expect, it } from 'vitest';
import { strftime } from '../../../src/text/chat/strftime.js';

const AFTERNOON = new Date(2024, 6, 4, 15, 5, 9);
const MIDNIGHT = new Date(2023, 0, 1, 0, 0, 0);

it.each([
  ['%d %b %Y', '04 Jul 2024', '01 Jan 2023'],
  ['%A, %B %d, %y', 'Thursday, July 04, 24', 'Sunday, January 01, 23'],
  ['%a %m %j', 'Thu 07 186', 'Sun 01 001'],
  ['%H:%M:%S', '15:05:09', '00:00:00'],
  ['%I %p', '03 PM', '12 AM'],
  ['100%% %Y', '100% 2024', '100% 2023'],
])('%s', (format, afternoon, midnight) => {
  expect(strftime(AFTERNOON, format)).toBe(afternoon);
  expect(strftime(MIDNIGHT, format)).toBe(midnight);
});

it('leaves what is no directive', () => {
  expect(strftime(AFTERNOON, '%! %')).toBe('%! %');
});
