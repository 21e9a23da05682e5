import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { FOLDER as BENCH, positive, prepareCase } from './lib/bench/cases.mjs';
import { buildPrograms } from './lib/bench/programs.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { machine } from './lib/machine.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { importSource } from './lib/source.mjs';
import { page } from './lib/study/int8-report.mjs';
import { DATA, ensureSpam, fillPage, keptRun, resultOf, writeFirstRows } from './lib/study/study.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

const HELP = `Usage: node scripts/study-int8.mjs [--seeds 8] [--steps N] [--curve 120] [--minutes N]

Measures what training in int8 costs in quality: gradients on all reference models, the loss of a 12-layer encoder, and
the demo's model on both data sets, trained both ways. Writes the numbers of docs/studies/int8.md. Finished parts are kept
in .cache/study-int8 and not repeated.

  --seeds N    pairs of runs of each method on each data set
  --steps N    fewer steps for each, to try the script; by default, two epochs
  --curve N    steps of the 12-layer encoder
  --minutes N  start nothing after this time; the same command continues
`;
const STUDY = 'study-int8';
const FOLDER = join(ROOT, '.cache', STUDY);
const PAGE = join(ROOT, 'docs', 'studies', 'int8.md');
const BEGIN = '<!-- numbers: written by scripts/study-int8.mjs -->';
const END = '<!-- end of numbers -->';
const PRECISIONS = ['float32', 'int8'];
/** The rates that the demo's study chose (docs/studies/demo/report.md). */
const RATES = {
  'Debian sections': { lora: 3e-3, aurora: 1e-2 },
  SpamAssassin: { lora: 1e-2, aurora: 3e-3 },
};
const METHODS = { 'AuroRA r=2': 'aurora', 'LoRA r=2': 'lora' };
/** Validation texts of the 12-layer encoder. */
const CURVE_ROWS = 64;
/** Models of which no layer is in int8. */
const NO_EFFECT = /has no effect/;

await main(async () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '8' },
      steps: { type: 'string' },
      curve: { type: 'string', default: '120' },
      minutes: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [seeds, curve] = ['seeds', 'curve'].map((name) => positive(name, values[name]));
  if (seeds < 2) throw new Failure('--seeds 1 has no interval; at least 2 are needed.');
  const steps = values.steps && positive('steps', values.steps);
  const end = values.minutes
    ? performance.now() + 60_000 * positive('minutes', values.minutes)
    : Number.POSITIVE_INFINITY;
  ensureDependencies();
  await build();
  await buildPrograms(['prepare', 'reference-int8'], ['onnxruntime-node', 'webgpu']);
  ensureUseLite();
  ensureSpam();

  const { readScalars } = await importSource('src/runs/curve/scalars.ts');
  const { summarize } = await importSource('src/study/statistics/summary.ts');
  const losses = (run) => [...readScalars(run).column('loss')];
  const parts = [...referenceParts(), ...runParts(seeds, steps), ...curveParts(curve, losses)];
  const results = [];
  for (const part of parts) {
    if (performance.now() >= end) {
      say(`${results.length} of ${parts.length} parts are done; the same command continues.`);
      return;
    }
    results.push({ ...part, result: part.run() });
  }
  const of = (kind) => results.filter((r) => r.kind === kind);
  const references = of('reference').map(({ result }) => result);
  const text = page(
    {
      machine: machine(),
      references: references.filter(({ warnings }) => !warnings.some((w) => NO_EFFECT.test(w))),
      untouched: references.filter(({ warnings }) => warnings.some((w) => NO_EFFECT.test(w))).length,
      curves: of('curve'),
      runs: of('run'),
      steps,
    },
    summarize,
  );
  fillPage(PAGE, BEGIN, END, text);
});

/** Runs a step on each reference model. */
function referenceParts() {
  return ['', 'more'].flatMap((folder) => {
    const all = join(ROOT, 'test/fixtures/reference', folder);
    return readdirSync(all)
      .filter((name) => name.endsWith('.json') && name !== 'anl.json')
      .map((name) => ({ kind: 'reference', run: () => keptReference(join(all, name)) }));
  });
}

function keptReference(path) {
  const kept = join(FOLDER, `reference-${basename(path)}`);
  if (!existsSync(kept)) {
    say(`Reference ${basename(path, '.json')} …`);
    const program = join(BENCH, 'reference-int8.cjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, path], { encoding: 'utf8' });
    if (status !== 0) throw new Failure(`${path} did not run:\n${stderr}`);
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(kept, stdout);
  }
  return JSON.parse(readFileSync(kept, 'utf8'));
}

/** The benchmark's 12-layer encoder, whose weights are random, on the demo's data. */
function curveParts(steps, losses) {
  const model = join(BENCH, '12x768.onnx');
  return PRECISIONS.map((precision) => ({
    kind: 'curve',
    precision,
    run() {
      if (!existsSync(model)) prepareCase('12x768:16x32');
      // Only the losses of the steps are reported, and an evaluation in full takes longer than they do.
      const validation = join(FOLDER, 'validation.jsonl');
      writeFirstRows('debian-sections-validation', validation, CURVE_ROWS);
      const settings = [
        `model.path=${model}`,
        `model.tokenizer=${join(ROOT, '.cache/use-lite/tokenizer.json')}`,
        `data.validation=${validation}`,
        'training.batchSize=16',
        `training.maxSteps=${steps}`,
        `training.evaluateEvery=${steps}`,
        `training.precision=${precision}`,
      ];
      return losses(keptRun(STUDY, `12x768 ${precision} ${steps} steps`, settings));
    },
  }));
}

/** The demo's model, both ways with each seed. */
function* runParts(seeds, steps) {
  for (let seed = 1; seed <= seeds; seed++)
    for (const [data, set] of Object.entries(DATA))
      for (const [name, method] of Object.entries(METHODS))
        for (const precision of PRECISIONS) {
          const rate = RATES[data][method];
          const settings = [
            ...set,
            `adapter.method=${method}`,
            `training.learningRate=${rate}`,
            `training.headLearningRate=${rate}`,
            `training.precision=${precision}`,
            `training.seed=${seed}`,
            // At the end only, as in the demo's study.
            'training.evaluateEvery=1000',
            ...(steps ? [`training.maxSteps=${steps}`] : []),
          ];
          const title = [data, name, precision, seed, ...(steps ? [`${steps} steps`] : [])].join(' ');
          const run = () => resultOf(keptRun(STUDY, title, settings));
          yield { kind: 'run', seed, data, name, precision, run };
        }
}
