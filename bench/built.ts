/**
 * The package as people get it. The WASM kernels and their workers are in `dist/`, not beside the
 * compiled benches, so that what is measured is what is published.
 */
export async function builtLoad(): Promise<typeof import('../src/load/model.js')> {
  return import(new URL('../../dist/load/model.js', import.meta.url).href);
}
