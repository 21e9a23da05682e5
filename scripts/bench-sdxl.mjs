import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { auroraUntil, evaluationsOf, hasCheckpoint, runIn, stepsOf } from './lib/bench/large-run.mjs';
import { writeSdxl } from './lib/bench/sdxl-pipeline.mjs';
import { main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:sdxl -- [--bits 8] [--int8] [--resolution 512] [--threads 2] [--folder DIR] [--steps 1]

Writes a pipeline with the exact U-Net of SDXL, 2,567,463,684 random weights in float16 (5.1 GB), and trains AuroRA (r = 2 on
to_q, to_k, to_v and to_out.0; batch 1) on one picture, with gradient checkpointing and the linear layers in 8 bits. Prints
time and peak memory (VmHWM, with the pages of mapped files; Linux only). The folder, which holds 9 GB, is removed afterwards.
--int8 multiplies these layers in int8 (training.precision), and needs more space on disk.
`;

await main(async () => {
  const { values } = parseArgs({
    options: {
      bits: { type: 'string', default: '8' },
      int8: { type: 'boolean' },
      resolution: { type: 'string', default: '512' },
      steps: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      folder: { type: 'string', default: join(ROOT, '.cache', 'bench-sdxl') },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void console.log(HELP);
  const [bits, resolution, steps] = [values.bits, values.resolution, values.steps].map(Number);
  ensureDependencies();
  await build();
  const folder = resolve(values.folder);
  // Copies of the weights go there too, not into the user's cache.
  process.env.XDG_CACHE_HOME = join(folder, 'cache');
  try {
    say('writing the pipeline …');
    writeSdxl(join(folder, 'sdxl'));
    const experiment = await writeExperiment(folder, { bits, int8: values.int8, resolution, steps });
    const runs = join(folder, 'runs');
    // Afterwards, the cost of quantization would be measured on the whole model in float32, which takes more memory.
    const isTrained = () => hasCheckpoint(runIn(runs), steps);
    const { seconds, bytes } = await auroraUntil(
      folder,
      ['train', experiment, '--threads', values.threads, '--device', 'cpu', '--out', runs],
      isTrained,
    );
    say(`train: ${seconds.toFixed(1)} s, peak ${(bytes / 1e9).toFixed(2)} GB`);
    const run = runIn(runs);
    for (const [i, step] of stepsOf(run).entries())
      say(`step ${i + 1}: ${step.seconds.toFixed(1)} s, loss ${step.loss.toFixed(4)}`);
    for (const { seconds: time, metrics } of evaluationsOf(run))
      say(`evaluation: ${time.toFixed(1)} s, loss ${metrics.loss.toFixed(4)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** With one picture of stripes. */
async function writeExperiment(folder, { bits, int8, resolution, steps }) {
  const images = join(folder, 'images');
  mkdirSync(images, { recursive: true });
  const { default: sharp } = await import('sharp');
  const pixels = Buffer.alloc(3 * resolution ** 2).map((_, i) => (i >> 5) % 256);
  const raw = { width: resolution, height: resolution, channels: 3 };
  await sharp(pixels, { raw }).png().toFile(join(images, 'subject.png'));
  const path = join(folder, 'sdxl.aurora.json');
  const targetModules = ['to_q', 'to_k', 'to_v', 'to_out.0'];
  const experiment = {
    model: { path: 'sdxl', ...(bits > 0 && { quantize: bits }) },
    task: { type: 'subject-generation', instancePrompt: 'a photo of a cat', resolution },
    data: { train: 'images' },
    adapter: { method: 'aurora', rank: 2, alpha: 4, dropout: 0, targetModules },
    training: {
      ...{ epochs: steps, batchSize: 1, learningRate: 1e-4, schedule: 'constant', warmupSteps: 0 },
      ...{ maxGradientNorm: 0, seed: 1, gradientCheckpointing: true, checkpointEvery: 1 },
      ...(int8 && { precision: 'int8' }),
    },
  };
  writeFileSync(path, JSON.stringify(experiment));
  return path;
}
