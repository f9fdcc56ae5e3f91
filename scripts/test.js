/**
 * Types, lint, floors, tests: everything that must hold. The last line counts:
 * `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const work = mkdtempSync(join(tmpdir(), 'llama-32k-'));
const report = join(work, 'report.json');

const checks = [
  run('tsc', '--noEmit'),
  run('biome', 'check', '--error-on-warnings', '.'),
  run('depcruise', 'src', '--config', '.dependency-cruiser.cjs'),
];
const testsHold = run(
  ...['vitest', 'run', '--reporter=default', '--reporter=json'],
  `--outputFile.json=${report}`,
);

const counts = readCounts();
rmSync(work, { recursive: true });
const passed = counts.passed + checks.filter(Boolean).length;
const runnerFailed = !testsHold && counts.failed === 0;
const failed = counts.failed + checks.filter(holds => !holds).length + Number(runnerFailed);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${passed} passed, ${failed} failed${skipped}`);
process.exit(failed === 0 && counts.passed > 0 ? 0 : 1);

function run(tool, ...args) {
  console.log(`\n> ${tool} ${args.filter(arg => !arg.includes('report')).join(' ')}`);
  const { status } = spawnSync('npx', ['--no-install', tool, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  return status === 0;
}

function readCounts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // the runner itself broke
  }
}
