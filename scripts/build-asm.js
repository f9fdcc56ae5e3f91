/**
 * asm/*.ts → dist/engines/wasm/{simd,relaxed,dot4,relaxed-wide,dot4-wide}.wasm: builds of the same
 * sources (asm/README.md).
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = 'dist/engines/wasm';
mkdirSync(`${root}${out}`, { recursive: true });

const FEATURES = 'simd,threads,bulk-memory,sign-extension,mutable-globals,nontrapping-f2i';
const RELAXED = `${FEATURES},relaxed-simd`;
const [DOT4, WIDE] = ['DOT4', 'WIDE'].map(name => ['--use', `${name}=1`]);
await build('simd', FEATURES);
await build('relaxed', RELAXED);
await build('dot4', RELAXED, ...DOT4);
await build('relaxed-wide', RELAXED, ...WIDE);
await build('dot4-wide', RELAXED, ...DOT4, ...WIDE);

async function build(name, features, ...more) {
  const { error, stderr } = await asc.main([
    'asm/index.ts',
    ...['--baseDir', root, '--outFile', `${out}/${name}.wasm`],
    ...['-O3', '--runtime', 'stub', '--noAssert', '--enable', features, ...more],
    ...[
      '--importMemory',
      '--noExportMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
    ],
    ...(process.argv.includes('--text') ? ['--textFile', `${out}/${name}.wat`] : []),
  ]);
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
}
