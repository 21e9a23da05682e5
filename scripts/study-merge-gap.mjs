import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { Failure, main } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { RECIPE } from './lib/study/first.mjs';
import { WAYS } from './lib/study/merge-gap.mjs';
import { CLI, DATA, ensureSpam, fillPage, keptRun, spread } from './lib/study/study.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/**
 * The cost of merging AuroRA into the weights, with and without each setting that should lower it: three seeds on two
 * data sets. Finished runs are kept in .cache/study-merge-gap. Writes the tables of docs/studies/merge-gap.md.
 */
const SEEDS = [1, 2, 3];
const STUDY = 'study-merge-gap';
const PAGE = join(ROOT, 'docs/studies/merge-gap.md');

await main(async () => {
  ensureDependencies();
  await build();
  ensureUseLite();
  ensureSpam();
  const tables = Object.entries(DATA).map(([data, set]) => {
    const rows = Object.entries(WAYS).map(([way, settings]) => {
      const measured = SEEDS.map((seed) => {
        const all = [...RECIPE, ...set, ...settings, `training.seed=${seed}`];
        return gap(keptRun(STUDY, `${data} ${way} ${seed}`, all));
      });
      return { way, measured };
    });
    return table(data, rows);
  });
  const marks = ['<!-- tables: written by scripts/study-merge-gap.mjs -->', '<!-- end of tables -->'];
  fillPage(PAGE, ...marks, tables.join('\n\n'));
});

/** A run's last state as trained and by the paper's merge, from an export. */
function gap(run) {
  const out = join(run, 'export', 'gap');
  const record = join(out, 'export.json');
  if (!existsSync(record)) {
    const how = ['--as', 'onnx-merged', '--merge', 'paper', '--accept-drop'];
    const args = ['export', run, ...how, '--at', 'last', '--out', out];
    const r = spawnSync(process.execPath, [CLI, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (r.status !== 0) throw new Failure(`${run} could not be exported.`);
  }
  return JSON.parse(readFileSync(record, 'utf8'));
}

function table(data, rows) {
  const { examples } = rows[0].measured[0].metrics.exported;
  const lines = rows.map(({ way, measured }) => {
    const cell = (value, digits, signed) => spread(measured.map(value), digits, signed);
    const trained = (r) => r.metrics.trained;
    return [
      way,
      cell((r) => 100 * trained(r).accuracy),
      cell((r) => 100 * r.metrics.exported.accuracy),
      cell((r) => 100 * (r.metrics.exported.accuracy - trained(r).accuracy), 2, true),
      cell((r) => trained(r).loss, 4),
      cell((r) => r.metrics.exported.loss - trained(r).loss, 4, true),
    ];
  });
  return [
    `**${data}**, ${examples.toLocaleString('en')} validation texts:`,
    '',
    '| | accuracy as trained, % | merged, % | difference in points | loss as trained | merged − trained |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');
}
