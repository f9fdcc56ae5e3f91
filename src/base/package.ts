/**
 * Where this package's own files are: its WebAssembly modules, its workers, its embedded model.
 * They are found from the place of this file, which a bundler takes away.
 */
import { check } from './errors.js';

/** In a bundle for ECMAScript another file's address; in one for CommonJS nothing. */
const HERE: string | undefined = import.meta.url;

/** Whether a bundler has put this module into another file, away from what it needs. */
export const isBundled = !/\/base\/package\.[jt]s$/.test(HERE ?? '');

/**
 * The address of a file of this package, from the package's root: the same for the sources and for
 * what is built of them.
 * @throws {LlamaError} BROKEN_INSTALLATION, saying how to keep the package out, in a bundle.
 */
export function packageFile(path: string): URL {
  refuseBundle(path);
  return new URL(`../../${path}`, HERE);
}

/** Throws BROKEN_INSTALLATION in a bundle, where `path` of this package cannot be found. */
export function refuseBundle(path: string): void {
  check(
    !isBundled,
    'BROKEN_INSTALLATION',
    () =>
      `llama-32k was put into a bundle (${HERE ?? 'CommonJS'}), and its ${path} was left ` +
      'behind: keep the package external (esbuild --external:llama-32k; external in Rollup and ' +
      'Vite, externals in webpack) and have it in node_modules where the bundle runs',
  );
}
