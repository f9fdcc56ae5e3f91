/** What is to be known where every place takes a request of its own. */
import type { Question } from './question.js';

export const singleNote = ({ positions, tokens }: Question, asked: number): readonly string[] =>
  positions === undefined && asked < tokens.length
    ? [`asked at ${asked} of ${tokens.length} positions, each being a request`]
    : [];
