import { join } from 'node:path';
import { build } from './build.mjs';
import { main } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { METHODS, RECIPE } from './lib/study/first.mjs';
import { DATA, ensureSpam, fillPage, keptRun, resultOf, spread } from './lib/study/study.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/**
 * The first study: AuroRA r=2, LoRA r=2, LoRA r=8 and the head alone, three seeds each, on two data sets, all under one
 * recipe. Finished runs are kept in .cache/study and not repeated. Writes its table to docs/studies/first.md, between
 * the markers; the text around it is written by hand.
 */
const SEEDS = [1, 2, 3];

const page = join(ROOT, 'docs/studies/first.md');
const BEGIN = '<!-- table: written by npm run study -->';
const END = '<!-- end of table -->';

await main(async () => {
  ensureDependencies();
  await build();
  ensureUseLite();
  ensureSpam();
  const results = {};
  for (const seed of SEEDS)
    for (const [data, set] of Object.entries(DATA))
      for (const [method, adapter] of Object.entries(METHODS)) {
        const settings = [...RECIPE, ...set, `adapter=${JSON.stringify(adapter)}`, `training.seed=${seed}`];
        const run = keptRun('study', `${data} ${method} ${seed}`, settings);
        ((results[data] ??= {})[method] ??= []).push(resultOf(run));
      }
  fillPage(page, BEGIN, END, text(results));
  return 0;
});

function text(results) {
  const tables = Object.entries(results).map(([data, methods]) => {
    const [first] = Object.values(methods)[0];
    const rows = Object.entries(methods).map(([method, runs]) => {
      const cell = (value, digits) => spread(runs.map(value), digits);
      return `| ${method} | ${runs[0].trained.adapters.toLocaleString('en')} | ${cell((r) => 100 * r.last.accuracy)} | ${cell((r) => 100 * r.last.f1)} | ${cell((r) => 100 * r.last.matthews)} | ${cell((r) => r.last.loss, 4)} |`;
    });
    const header = `**${data}**: ${first.last.examples.toLocaleString('en')} validation examples, most frequent class ${(100 * first.baseline.value).toFixed(1)}%.`;
    return [
      header,
      '',
      '| method | adapter parameters | accuracy, % | F1, % | MCC × 100 | loss |',
      '| --- | ---: | ---: | ---: | ---: | ---: |',
      ...rows,
    ].join('\n');
  });
  return tables.join('\n\n');
}
