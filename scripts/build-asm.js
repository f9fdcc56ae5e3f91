/**
 * asm/*.ts → dist/kernels/wasm/{simd,relaxed}.wasm: two builds of the same sources.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = 'dist/kernels/wasm';
mkdirSync(`${root}${out}`, { recursive: true });

await build('simd', 'simd,threads,bulk-memory,sign-extension,mutable-globals,nontrapping-f2i');
await build('relaxed', 'simd,threads,bulk-memory,sign-extension,mutable-globals,nontrapping-f2i,relaxed-simd');

async function build(name, features) {
  const { error, stderr } = await asc.main([
    'asm/index.ts',
    ...['--baseDir', root, '--outFile', `${out}/${name}.wasm`],
    ...['-O3', '--runtime', 'stub', '--noAssert', '--enable', features],
    ...['--importMemory', '--noExportMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
    ...(process.argv.includes('--text') ? ['--textFile', `${out}/${name}.wat`] : []),
  ]);
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
}
