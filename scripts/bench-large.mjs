import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { check } from './lib/bench/large-check.mjs';
import { writeModel } from './lib/bench/large-model.mjs';
import {
  adapterOf,
  aurora,
  evaluationsOf,
  hasCheckpoint,
  killedWhen,
  runIn,
  stepsOf,
} from './lib/bench/large-run.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:large -- [--layers 32] [--vocabulary 128256] [--hidden 4096] [--forms 4,int8] [--steps 2] [--length 256] [--threads 2] [--folder DIR] [--before CHECKOUT] [--once] [--check]

Writes a folder in the shape of LLaMA3-8B with random weights in bfloat16 (16 GB with 32 layers), a file for each layer.
Trains AuroRA (r = 2 on q, k, v, up and down; batch 1) on it in each form: once to the end, and once with kill -9 after the
first step, and resumed. Prints time and peak memory (VmHWM, Linux only) of each. The folder, about 32 GB with 32 layers, is
removed afterwards.

--forms   4 or 8: bits, by \`aurora quantize\`, killed once on the way. int8: model.quantize 8 with training.precision "int8".
          float32: the weights as they are; the losses of the other forms are compared with its own if it comes first
--hidden  the width of the model, a multiple of 64
--before  a built checkout of an older commit: its 4 bits are timed first, in the same run
--once    without the run that is killed and resumed
--check compares with PyTorch in float64 instead (Python with torch and onnx; 2 layers take 6 GB of memory); it needs
--layers 2 --vocabulary 8192 --length 48 or so.
`;

const NAMES = { 4: '4 bits', 8: '8 bits', int8: 'int8', float32: 'float32' };
/** Forms of the user's own model: the others are files that `aurora quantize` writes. */
const OF_FOLDER = ['int8', 'float32'];
const QUANTIZED = 'quantized/model.onnx';

await main(async () => {
  const { values } = parseArgs({
    options: {
      layers: { type: 'string', default: '32' },
      vocabulary: { type: 'string', default: '128256' },
      hidden: { type: 'string', default: '4096' },
      forms: { type: 'string', default: '4,int8' },
      steps: { type: 'string', default: '2' },
      length: { type: 'string', default: '256' },
      threads: { type: 'string', default: '2' },
      folder: { type: 'string', default: join(ROOT, '.cache', 'bench-large') },
      before: { type: 'string' },
      once: { type: 'boolean' },
      check: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void console.log(HELP);
  const [layers, vocabulary, length] = [values.layers, values.vocabulary, values.length].map(Number);
  const forms = values.forms.split(',');
  const unknown = forms.find((form) => !(form in NAMES));
  if (unknown !== undefined)
    throw new Failure(`Unknown form "${unknown}".`, `Forms: ${Object.keys(NAMES).join(', ')}.`);
  ensureDependencies();
  await build();
  const folder = resolve(values.folder);
  const model = join(folder, 'model');
  // Weights in int8 are written to the user's cache, and would stay there.
  process.env.XDG_CACHE_HOME = join(folder, 'cache');
  try {
    say(`${layers} layers …`);
    writeModel(model, layers, vocabulary, Number(values.hidden));
    if (values.before !== undefined)
      trainBefore(folder, model, resolve(values.before), Number(values.steps), length, values.threads);
    let exact;
    for (const form of values.check ? ['4'] : forms) {
      say(`${NAMES[form]} …`);
      const quantized = join(folder, QUANTIZED);
      const quantize = ['quantize', model, '--bits', form, '--out', quantized];
      rmSync(dirname(quantized), { recursive: true, force: true });
      if (!OF_FOLDER.includes(form)) {
        if (!values.check) await killQuantize(quantize, dirname(quantized));
        report('quantize', aurora(folder, quantize));
      }
      const experiment = writeExperiment(folder, form, length, Number(values.steps));
      if (values.check) return check(folder, experiment, textsOf(length), length);
      const losses = trainWhole(folder, experiment, values.threads);
      if (!values.once) await trainKilled(folder, experiment, values.threads);
      if (form === 'float32') exact = losses;
      else if (exact) compare(losses, exact);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function report(what, { seconds, bytes }) {
  say(`${what}: ${seconds.toFixed(1)} s, peak ${(bytes / 1e6).toFixed(0)} MB`);
}

async function killQuantize(args, folder) {
  const data = (name) => name.includes('.data');
  const files = () => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  await killedWhen(args, () => files().some(data));
  if (files().some((name) => name.endsWith('.onnx'))) throw new Failure('A killed conversion left a model.');
  say(`quantize: kill -9 leaves ${files().length} unfinished file and no model`);
}

/** The 4 bits of an older commit, for comparison. */
function trainBefore(folder, model, checkout, steps, length, threads) {
  say(`4 bits of ${checkout} …`);
  const cli = join(checkout, 'dist/cli.cjs');
  report(
    'quantize',
    aurora(folder, ['quantize', model, '--bits', '4', '--out', join(folder, QUANTIZED)], cli),
  );
  const experiment = writeExperiment(folder, '4', length, steps);
  report(
    'train',
    aurora(folder, ['train', experiment, '--threads', threads, '--out', join(folder, 'before')], cli),
  );
  printTimes(runIn(join(folder, 'before')));
  rmSync(join(folder, dirname(QUANTIZED)), { recursive: true, force: true });
}

function printTimes(run) {
  for (const [i, { seconds, loss }] of stepsOf(run).entries())
    say(`step ${i + 1}: ${seconds.toFixed(1)} s, loss ${loss.toFixed(4)}`);
  for (const { seconds, metrics } of evaluationsOf(run))
    say(`evaluation: ${seconds.toFixed(1)} s, loss ${metrics.loss.toFixed(4)}`);
}

function trainInto(folder, experiment, threads, name) {
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  return ['train', experiment, '--threads', threads, '--out', out];
}

function trainWhole(folder, experiment, threads) {
  report('train', aurora(folder, trainInto(folder, experiment, threads, 'whole')));
  const whole = runIn(join(folder, 'whole'));
  printTimes(whole);
  return {
    steps: stepsOf(whole).map(({ loss }) => loss),
    evaluation: evaluationsOf(whole).at(-1).metrics.loss,
  };
}

/** Again, killed after its first step and resumed: with the adapter of the run that was not. */
async function trainKilled(folder, experiment, threads) {
  const runs = join(folder, 'broken');
  await killedWhen(trainInto(folder, experiment, threads, 'broken'), () => hasCheckpoint(runIn(runs), 1));
  report('resume after kill -9', aurora(folder, ['train', '--resume', runIn(runs), '--threads', threads]));
  if (!adapterOf(runIn(runs)).equals(adapterOf(runIn(join(folder, 'whole')))))
    throw new Failure('The resumed run has another adapter than the one that was not killed.');
  say('the resumed run has the same adapter, to the bit');
}

/** The differences of losses from those in float32. */
function compare(losses, exact) {
  const apart = losses.steps.map((loss, i) => Math.abs(loss - exact.steps[i]));
  say(
    `beside float32, the loss of step ${apart.length} differs by ${apart.at(-1).toExponential(1)} (any step: at most ${Math.max(...apart).toExponential(1)}), that of the evaluation by ${Math.abs(losses.evaluation - exact.evaluation).toExponential(1)}`,
  );
}

/** Two different ones, of more tokens than `length`. */
function textsOf(length) {
  const text = (stride) =>
    Array.from({ length }, (_, i) => ['the', 'cat', 'played', ',', 'unaffable'][(i * stride) % 5]).join(' ');
  return { train: text(7), validation: text(3) };
}

function writeExperiment(folder, form, length, epochs) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(textsOf(length)))
    writeFileSync(join(folder, `${name}.jsonl`), `${JSON.stringify({ text })}\n`);
  const path = join(folder, 'large.aurora.json');
  const targetModules = ['q_proj', 'k_proj', 'v_proj', 'up_proj', 'down_proj'];
  const training = {
    ...{ epochs, batchSize: 1, learningRate: 1e-3, schedule: 'constant', warmupSteps: 0, weightDecay: 0 },
    ...{
      maxGradientNorm: 0,
      seed: 1,
      gradientCheckpointing: true,
      evaluateEvery: epochs,
      checkpointEvery: 1,
    },
    ...(form === 'int8' && { precision: 'int8' }),
  };
  const experiment = {
    model:
      form === 'int8'
        ? { path: 'model', quantize: 8, maxLength: length }
        : { path: form === 'float32' ? 'model' : QUANTIZED, maxLength: length },
    task: { type: 'causal-language-modeling', head: 'none' },
    data: { train: 'train.jsonl', validation: 'validation.jsonl' },
    adapter: { method: 'aurora', rank: 2, alpha: 4, dropout: 0, targetModules },
    training,
  };
  writeFileSync(path, JSON.stringify(experiment));
  return path;
}
