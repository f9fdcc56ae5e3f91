/** Where the compiled parts are: the three modules, and the worker's JavaScript. */

// tests run the sources, workers cannot
const HERE = import.meta.url.endsWith('.ts') ? '../../../dist/engines/wasm/' : './';

export function artifact(
  name: 'simd.wasm' | 'relaxed.wasm' | 'dot4.wasm' | 'threads/worker.js',
): URL {
  return new URL(`${HERE}${name}`, import.meta.url);
}
