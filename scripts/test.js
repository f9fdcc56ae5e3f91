/**
 * `npm test`: types, lint, floors, docs, tests: everything that must hold. The last line counts:
 * `N passed, N failed`. `npm run quick` leaves out the tests that take long.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isQuick = process.argv.includes('--quick');
const config = isQuick ? 'vitest.quick.config.ts' : 'vitest.config.ts';

const CHECKS = ['types', 'lint', 'floors', ...(isQuick ? [] : ['docs'])];
const checks = CHECKS.map(name => run('npm', 'run', '--silent', name));
const tests = runTests();
const passed = tests.passed + checks.filter(Boolean).length;
const failed = tests.failed + checks.filter(ok => !ok).length;
const skipped = tests.skipped > 0 ? `, ${tests.skipped} skipped` : '';
console.log(`${passed} passed, ${failed} failed${skipped}`);
process.exit(failed === 0 && tests.passed > 0 ? 0 : 1);

function runTests() {
  const work = mkdtempSync(join(tmpdir(), 'llama-32k-'));
  const report = join(work, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const ok = run('npx', '--no-install', 'vitest', 'run', '--config', config, ...reporters);
  const counts = readCounts(report);
  rmSync(work, { recursive: true });
  if (!ok && counts.failed === 0) counts.failed = 1; // an error outside of tests
  return counts;
}

function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // the runner itself broke
  }
}

function run(program, ...args) {
  console.log(`\n> ${args.filter(arg => !arg.startsWith('--')).join(' ')}`);
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  return status === 0;
}
