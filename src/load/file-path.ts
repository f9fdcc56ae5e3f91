/**
 * Paths of files in a repository. They come from elsewhere and end up as paths of this disk, so
 * they must stay below where they are put, on any system: no `..`, nothing absolute, no
 * backslashes, drives or streams (`C:`), which to POSIX are characters like any other; no lone
 * surrogates, which no URL has.
 */

const SEGMENT = /^(?!\.\.?$)[^/\\:*?"<>|\p{Cc}\p{Cs}]+$/u;

export const isFilePath = (path: string): boolean =>
  path.split('/').every(segment => SEGMENT.test(segment));

/** For URLs. */
export const encodePath = (path: string): string =>
  path.split('/').map(encodeURIComponent).join('/');
