import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { positive } from './lib/bench/cases.mjs';
import { main } from './lib/console.mjs';
import { machine } from './lib/machine.mjs';
import { page } from './lib/study/quantize-report.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { fillPage, keptRun, resultOf } from './lib/study/study.mjs';

const HELP = `Usage: node scripts/study-quantize.mjs [--steps 200] [--seeds 3]

Trains the demo's language model (demo/debian-summaries.aurora.json) in float32 and with model.quantize 8 and 4, and writes
the losses to docs/studies/quantization.md. Finished runs are kept in .cache/study-quantize.
`;
const BITS = [undefined, 8, 4];
const PAGE = join(ROOT, 'docs/studies/quantization.md');
const BEGIN = '<!-- numbers: written by scripts/study-quantize.mjs -->';
const END = '<!-- end of numbers -->';

await main(async () => {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '200' },
      seeds: { type: 'string', default: '3' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [steps, seeds] = ['steps', 'seeds'].map((name) => positive(name, values[name]));
  ensureDependencies();
  await build();
  const runs = [];
  for (let seed = 1; seed <= seeds; seed++)
    runs.push({ seed, of: BITS.map((bits) => train(bits, steps, seed)) });
  fillPage(PAGE, BEGIN, END, page({ machine: machine(), steps, runs }));
});

/** Its losses on the validation data. */
function train(bits, steps, seed) {
  const settings = [
    `training.maxSteps=${steps}`,
    `training.evaluateEvery=${steps}`,
    `training.checkpointEvery=${steps}`,
    `training.seed=${seed}`,
    ...(bits === undefined ? [] : [`model.quantize=${bits}`]),
  ];
  const name = `${bits ?? 'float32'}, ${steps} steps, seed ${seed}`;
  const run = keptRun('study-quantize', name, settings, 'debian-summaries');
  const { last, quantization, examples } = resultOf(run);
  const spec = JSON.parse(readFileSync(join(run, 'spec.json'), 'utf8'));
  return { bits, last, quantization, examples, method: spec.adapter.method };
}
