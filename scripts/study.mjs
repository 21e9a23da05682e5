import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { main, say } from './lib/console.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

/**
 * The first study: AuroRA r=2, LoRA r=2, LoRA r=8 and the head alone, three seeds each, on two data sets, all
 * under one recipe. Finished runs are kept in .cache/study and not repeated. Writes its table to
 * docs/studies/first.md, between the markers; the words around it are a person's.
 */
const SEEDS = [1, 2, 3];
const METHODS = {
  'head only': { method: 'none' },
  'LoRA r=2': { method: 'lora', rank: 2, alpha: 4, targetModules: ['query', 'value'] },
  'AuroRA r=2': { method: 'aurora', rank: 2, alpha: 4, targetModules: ['query', 'value'] },
  'LoRA r=8': { method: 'lora', rank: 8, alpha: 16, targetModules: ['query', 'value'] },
};
const DATA = {
  'Debian sections': { experiment: 'demo/debian-sections.aurora.json', set: [] },
  SpamAssassin: {
    experiment: 'demo/debian-sections.aurora.json',
    set: [
      `data.train=${join(ROOT, '.cache/spam-assassin/train.jsonl')}`,
      `data.validation=${join(ROOT, '.cache/spam-assassin/validation.jsonl')}`,
    ],
  },
};
const RECIPE = ['training.epochs=2', 'model.maxLength=48'];

const page = join(ROOT, 'docs/studies/first.md');
const BEGIN = '<!-- table: written by npm run study -->';
const END = '<!-- end of table -->';

await main(async () => {
  ensureDependencies();
  await build();
  ensureUseLite();
  if (!existsSync(join(ROOT, '.cache/spam-assassin/train.jsonl')))
    runNode(join(ROOT, 'scripts/spam-data.mjs'), []);
  const results = {};
  for (const seed of SEEDS)
    for (const [data, { experiment, set }] of Object.entries(DATA))
      for (const [method, adapter] of Object.entries(METHODS)) {
        const settings = [...RECIPE, ...set, `adapter=${JSON.stringify(adapter)}`, `training.seed=${seed}`];
        ((results[data] ??= {})[method] ??= []).push(run(`${data} ${method} ${seed}`, experiment, settings));
      }
  mkdirSync(join(ROOT, 'docs/studies'), { recursive: true });
  const before = existsSync(page) ? readFileSync(page, 'utf8') : `${BEGIN}\n${END}\n`;
  const [head, rest] = before.split(BEGIN);
  writeFileSync(page, `${head}${BEGIN}\n\n${text(results)}\n\n${END}${rest.split(END)[1]}`);
  say(`Wrote ${page}`);
  return 0;
});

function run(name, experiment, settings) {
  const out = join(ROOT, '.cache/study', name.replace(/[^\w=]+/g, '-'));
  const found = finished(out);
  if (found) return found;
  rmSync(out, { recursive: true, force: true });
  say(name);
  const args = ['train', experiment, '--out', out, ...settings.flatMap((s) => ['--set', s])];
  if (runNode(join(ROOT, 'dist/cli.cjs'), args) !== 0) throw new Error(`${name} failed`);
  return finished(out);
}

function finished(out) {
  const folder = existsSync(out) ? readdirSync(out)[0] : undefined;
  const result = folder && join(out, folder, 'result.json');
  return result && existsSync(result) ? JSON.parse(readFileSync(result, 'utf8')) : undefined;
}

function text(results) {
  const tables = Object.entries(results).map(([data, methods]) => {
    const [first] = Object.values(methods)[0];
    const rows = Object.entries(methods).map(([method, runs]) => {
      const cell = (value, digits) => spread(runs.map(value), digits);
      return `| ${method} | ${runs[0].trained.adapters.toLocaleString('en')} | ${cell((r) => 100 * r.last.accuracy)} | ${cell((r) => 100 * r.last.f1)} | ${cell((r) => 100 * r.last.matthews)} | ${cell((r) => r.last.loss, 4)} |`;
    });
    const header = `**${data}**: ${first.last.examples.toLocaleString('en')} validation examples, majority class ${(100 * first.majority.accuracy).toFixed(1)} %.`;
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

/** Mean ± sample standard deviation. */
function spread(values, digits = 1) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1));
  return `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}
