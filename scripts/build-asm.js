/**
 * asm/*.ts → dist/engines/wasm/{simd,relaxed,dot4,relaxed-wide,dot4-wide}.wasm: builds of the same
 * sources (asm/README.md).
 */
import { appendFileSync, mkdirSync } from 'node:fs';
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
for (const name of ['relaxed-wide', 'dot4-wide']) mark(name);

/**
 * V8 shares compiled code among modules of the same bytes, so wide ones must have others than their
 * sisters, whatever is in them: a custom section of the name `wide`.
 */
function mark(name) {
  appendFileSync(`${root}${out}/${name}.wasm`, Buffer.from('\0\x05\x04wide', 'latin1'));
}

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
