import { VERDICTS, type Verdict } from '../result.js';

/** The verdict on several things is the worst of theirs. */
export const worstOf = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce((a, b) => (VERDICTS.indexOf(b) > VERDICTS.indexOf(a) ? b : a), 'EXACT');
