/** What zod found, as the end of a sentence: "must be …". */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'an integer',
  null: 'null or left out',
  never: 'left out',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};

export function whatItMustBe(issue: Issue): string {
  // The schemas' own sentences; zod's begin with a capital.
  if (/^(must|has) /.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
    case 'too_big':
      return outOfRange(issue);
    case 'invalid_key':
      return 'must have token ids for keys';
    default:
      return `is not allowed: ${issue.message}`;
  }
}

function outOfRange(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const { code, origin, inclusive } = issue;
  const limit = code === 'too_small' ? issue.minimum : issue.maximum;
  if (code === 'too_small' && origin === 'string') return 'must not be empty';
  const unit = origin === 'array' ? ' items' : '';
  const verb = origin === 'array' ? 'have' : 'be';
  const words = code === 'too_small' ? ['at least', 'above'] : ['at most', 'below'];
  return `must ${verb} ${inclusive === false ? words[1] : words[0]} ${limit}${unit}`;
}
