import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from './build.mjs';
import { editorReport } from './lib/bench/editor-report.mjs';
import { buildPrograms } from './lib/bench/programs.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { PAGES } from './lib/bundles.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { machine, quiet } from './lib/machine.mjs';
import { loadedAtActivation } from './lib/extension-bundle.mjs';
import { bundlePackaged } from './lib/package/stage.mjs';
import { HERE } from './lib/package/targets.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureChromium } from './lib/system.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';
import { ensureWorkbench } from './lib/workbench/install.mjs';
import { makePackage } from './package.mjs';

const HELP = `Usage: npm run bench:editor -- [--starts 5] [--points 100000] [--records 60] [--only PART]… [--no-build]

Measures the packaged extension in Chromium and in real workbenches of VS Code 1.100 and 1.139. If it measured all
parts, it writes its section of docs/benchmarks.md. Parts: charts, runs, workbench.
`;
const FOLDER = join(ROOT, '.cache', 'bench');
/** A part starts once other programs use no more than this share of the CPUs, or after the wait. */
const QUIET = 0.1;
const WAIT_MS = 60_000;

const PARTS = {
  /** The dashboard's page: frame times of a pan, and from a record to its point. */
  charts: ({ points, records }) => program('charts', [points, records]),
  /** The host's first scan of a thousand runs. */
  runs: () => program('run-list', []),
  /** Activation and the tree, in the workbench itself. */
  workbench: ({ starts }) => workbench(starts),
};

await main(async () => {
  const { values } = parseArgs({
    options: {
      starts: { type: 'string', default: '5' },
      points: { type: 'string', default: '100000' },
      records: { type: 'string', default: '60' },
      only: { type: 'string', multiple: true },
      'no-build': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const numbers = Object.fromEntries(
    ['starts', 'points', 'records'].map((option) => [option, positive(option, values[option])]),
  );
  const parts = values.only ?? Object.keys(PARTS);
  const unknown = parts.find((part) => !(part in PARTS));
  if (unknown) throw new Failure(`Unknown part "${unknown}".`, `Parts: ${Object.keys(PARTS).join(', ')}.`);

  ensureDependencies();
  if (!values['no-build']) await prepare(parts);
  await buildPrograms(['charts', 'run-list'], ['playwright-core', 'axe-core']);
  const results = { numbers, machine: machine(), date: new Date().toISOString().slice(0, 10) };
  for (const part of parts) {
    say(`Waiting up to a minute for other programs to become idle (${part}) …`);
    const others = await quiet(QUIET, WAIT_MS);
    const load = loadavg()[0];
    say(
      `Measuring: ${part} (other programs use ${Math.round(100 * others)}% of the CPUs, load ${load.toFixed(1)}) …`,
    );
    results[part] = { ...PARTS[part](numbers), others, load };
  }
  if (results.workbench) results.sizes = await sizes();
  const text = editorReport(results);
  console.log(`\n${text}`);
  if (values.only) return;
  await writeSection('editor', text);
  say('Written to docs/benchmarks.md.');
});

function positive(option, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Failure(`--${option} ${text} is not a positive whole number.`);
}

async function prepare(parts) {
  ensureChromium();
  await build();
  if (!parts.includes('workbench')) return;
  for (const version of ['1.100', '1.139']) ensureWorkbench(version);
  ensureUseLite();
  await makePackage(HERE);
}

/** Reads a line of JSON from a program in bench/. */
function program(name, args) {
  const run = spawnSync(process.execPath, [join(FOLDER, `${name}.cjs`), ...args.map(String)], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Failure(`bench/${name}.ts failed; the error is above.`);
  return JSON.parse(run.stdout);
}

/** Under Vitest, since it uses the tests' workbench driver. */
function workbench(starts) {
  mkdirSync(FOLDER, { recursive: true });
  const out = join(FOLDER, 'workbench.jsonl');
  rmSync(out, { force: true });
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const env = { ...process.env, AURORA_BENCH_OUT: out, AURORA_BENCH_STARTS: String(starts) };
  if (runNode(vitest, ['run', '--project', 'bench'], { env }) !== 0)
    throw new Failure('A measurement in the workbench failed; the error is above.');
  return {
    lines: readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

/** Bytes of the files as packaged, and their compressed size. */
async function sizes() {
  const out = join(FOLDER, 'packaged');
  const [, extension] = await bundlePackaged(out);
  const files = {
    'extension host, loaded at activation': loadedAtActivation(extension),
    'extension host': Object.keys(extension.outputs).map((path) => basename(path)),
  };
  for (const page of PAGES) files[`page: ${page}`] = [`webview/${page}.js`];
  const sum = (numbers) => numbers.reduce((total, n) => total + n, 0);
  return Object.entries(files).map(([what, names]) => {
    const contents = names.map((name) => readFileSync(join(out, name)));
    return {
      what,
      bytes: sum(contents.map((content) => content.length)),
      gzip: sum(contents.map((content) => gzipSync(content).length)),
    };
  });
}
