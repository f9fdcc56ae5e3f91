/** Where the compiled parts are: the three modules, and the worker's JavaScript. */

const HERE = import.meta.url.endsWith('.ts') ? '../../../dist/kernels/wasm/' : './'; // tests run the sources, workers cannot

export function artifact(name: 'simd.wasm' | 'relaxed.wasm' | 'dot4.wasm' | 'worker.js'): URL {
  return new URL(`${HERE}${name}`, import.meta.url);
}
