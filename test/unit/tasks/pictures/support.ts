import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Experiment } from '../../../../src/experiment/experiment';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { writeFileSync } from 'node:fs';
import type { Model } from '../../../../src/graph/model';

/** Images of one colour each, named a.png, b.png and so on. */
export async function colours(folder: string, count: number, side = 16): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++)
    await sharp({
      create: { width: side, height: side, channels: 3, background: { r: 40 * i, g: 90, b: 200 - 30 * i } },
    })
      .png()
      .toFile(join(folder, `${String.fromCharCode(97 + i)}.png`));
}

/** An experiment on the small random pipeline, whose scheduler alone is copied. */
export function pictureSpec(folder: string, ...set: string[]): Experiment {
  const file = join(folder, 'demo.aurora.json');
  const pipeline = join(folder, 'sd');
  mkdirSync(pipeline, { recursive: true });
  cpSync('test/fixtures/diffusers/sd/scheduler', join(pipeline, 'scheduler'), { recursive: true });
  cpSync('test/fixtures/diffusers/sd/model_index.json', join(pipeline, 'model_index.json'));
  writeFileSync(
    file,
    JSON.stringify({
      model: { path: 'sd' },
      task: { type: 'subject-generation' },
      data: { train: 'images' },
    }),
  );
  return loadExperiment(file, set);
}

/** A U-Net with nothing but the names of its inputs. */
export const withInputs = (...names: string[]): Model =>
  ({
    graph: {
      inputs: names.map((name) => ({ name, dtype: name === 'timestep' ? 7 : 1, shape: undefined })),
      initializers: new Map(),
    },
  }) as unknown as Model;

export const SD = withInputs('sample', 'timestep', 'encoder_hidden_states');
