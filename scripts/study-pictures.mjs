import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { main } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { writeContactSheet } from './lib/study/contact-sheet.mjs';
import { drawn } from './lib/study/drawn.mjs';
import { LABEL, share } from './lib/study/fashion-classifier.mjs';
import { fillPage, keptRun, resultOf, spread } from './lib/study/study.mjs';

/**
 * DreamBooth on a class that the small pipeline has never seen: AuroRA r=2, LoRA r=2 and LoRA r=8, three seeds each. The
 * learning rate of each method is chosen on other images and another seed. Finished runs and pictures are kept in
 * .cache/study-pictures. Writes docs/studies/pictures.png, and the tables of docs/studies/pictures.md between the markers;
 * the text around them is written by hand.
 */
const STUDY = 'study-pictures';
const PAGE = join(ROOT, 'docs/studies/pictures.md');
const SHEET = join(ROOT, 'docs/studies/pictures.png');
const BEGIN = '<!-- tables: written by node scripts/study-pictures.mjs -->';
const END = '<!-- end of tables -->';

const SEEDS = [1, 2, 3];
/** Of the search. */
const OTHER_SEED = 9;
const RATES = [1e-3, 3e-3, 1e-2, 3e-2];
const STEPS = 300;
const METHODS = { 'AuroRA r=2': ['aurora', 2], 'LoRA r=2': ['lora', 2], 'LoRA r=8': ['lora', 8] };
const BAGS = join(ROOT, 'demo/data/fashion-bags');

/** The subject, and a class that the pipeline knew before. */
const PROMPTS = { bag: 'a photo of a bag', sneaker: 'a photo of a sneaker' };
const PICTURES = 64;
const DRAWING = { steps: 25, guidance: 3, sampler: 'ddim', width: 32, height: 32 };

const settings = ([method, rank], rate, seed, split) => [
  `adapter.method=${method}`,
  `adapter.rank=${rank}`,
  `adapter.alpha=${2 * rank}`,
  `data.validation=${join(BAGS, split)}`,
  `training.learningRate=${rate}`,
  `training.seed=${seed}`,
  `training.maxSteps=${STEPS}`,
  `training.evaluateEvery=${STEPS}`,
  `training.pictures.every=${STEPS}`,
];

/** Of the last step, so that nothing is chosen on the images that it is measured on. */
const lossOf = (run) => resultOf(run).last.loss;

await main(async () => {
  ensureDependencies();
  await build();
  const rates = {};
  const search = {};
  for (const [name, method] of Object.entries(METHODS)) {
    search[name] = RATES.map((rate) =>
      lossOf(
        keptRun(
          STUDY,
          `search ${name} ${rate}`,
          settings(method, rate, OTHER_SEED, 'validation'),
          'fashion-bags',
        ),
      ),
    );
    rates[name] = RATES[search[name].indexOf(Math.min(...search[name]))];
  }
  // One step that changes nothing: the rate rises from 0.
  const untrained = keptRun(
    STUDY,
    'untrained',
    [...settings(['lora', 2], 1e-9, 1, 'test'), 'training.maxSteps=1'],
    'fashion-bags',
  );
  const results = {};
  for (const [name, method] of Object.entries(METHODS))
    for (const seed of SEEDS) {
      const run = keptRun(
        STUDY,
        `${name} ${seed}`,
        settings(method, rates[name], seed, 'test'),
        'fashion-bags',
      );
      (results[name] ??= []).push(await measured(run, seed));
    }
  const before = Object.values(results)[0].map((r) => r.before);
  await writeContactSheet(SHEET, sheet(results));
  const tables = [searchTable(search), table(lossOf(untrained), before, results)];
  fillPage(PAGE, BEGIN, END, tables.join('\n\n'));
});

/** Losses, and shares of the pictures that the classifier takes for what was asked for. */
async function measured(run, seed) {
  const seeds = Array.from({ length: PICTURES }, (_, i) => 1000 * seed + i);
  const prompts = Object.fromEntries(Object.entries(PROMPTS).map(([name, text]) => [name, { text, seeds }]));
  const paths = await drawn(run, prompts, DRAWING);
  const shares = async (variant) =>
    Object.fromEntries(
      await Promise.all(
        Object.keys(PROMPTS).map(async (name) => [
          name,
          100 * (await share(paths[name][variant], LABEL[name])),
        ]),
      ),
    );
  const { trained } = resultOf(run);
  const result = { loss: lossOf(run), parameters: trained.adapters, paths, before: await shares('base') };
  return { ...result, after: await shares('adapted') };
}

/** Real bags, then of the first seed: before, and after by each method; at last what became of the other class. */
function sheet(results) {
  const columns = 12;
  const real = readdirSync(join(BAGS, 'train')).map((name) => join(BAGS, 'train', name));
  const first = Object.values(results).map(([r]) => r.paths);
  const rows = [real, first[0].bag.base, ...first.map((p) => p.bag.adapted), first[0].sneaker.base];
  return [...rows, ...first.map((p) => p.sneaker.adapted)].map((row) => row.slice(0, columns));
}

function searchTable(search) {
  const rows = Object.entries(search).map(([name, losses]) => {
    const best = Math.min(...losses);
    const cells = losses.map((loss) => (loss === best ? `**${loss.toFixed(4)}**` : loss.toFixed(4)));
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  return [
    `Search: validation loss after ${STEPS} steps, seed ${OTHER_SEED}.`,
    '',
    `| method | ${RATES.map((rate) => rate.toExponential()).join(' | ')} |`,
    `| --- |${' ---: |'.repeat(RATES.length)}`,
    ...rows,
  ].join('\n');
}

function table(loss, before, results) {
  const percent = (values) => spread(values, 1);
  const shares = (runs) => Object.keys(PROMPTS).map((name) => percent(runs.map((r) => r[name])));
  const rows = Object.entries(results).map(([name, runs]) => [
    name,
    runs[0].parameters.toLocaleString('en'),
    spread(
      runs.map((r) => r.loss),
      4,
    ),
    ...shares(runs.map((r) => r.after)),
  ]);
  const all = [['before', '0', loss.toFixed(4), ...shares(before)], ...rows];
  return [
    `Mean ± standard deviation over the seeds ${SEEDS.join(', ')}.`,
    '',
    '| method | adapter parameters | test loss | bags are bags, % | sneakers are sneakers, % |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...all.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}
