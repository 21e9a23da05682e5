import { join } from 'node:path';
import type { Evaluator, Parameters } from '../engine/stepper';
import { PICTURE_DEFAULTS } from '../experiment/pictures';
import type { PlayFacts, PlayPicture } from '../protocol/playground';
import type { PlayVariant } from '../protocol/play-question';
import type { PictureData } from '../tasks/pictures/picture-example';
import { modelInputs } from '../tasks/task-data';
import type { Trained } from '../training/checkpoint/trained-run';
import { type Drawer, openDrawer } from '../training/diffusion/drawer';
import { evaluatorPredict, type Predict } from '../training/diffusion/sampler';
import type { OpenOptions } from './open-subject';
import { factsOf } from './run-facts';
import type { Painter } from './subject';

/** A run of a pipeline, which draws pictures of the size that it was trained on. */
export function runPainter(
  trained: Trained,
  evaluator: Evaluator,
  values: Record<PlayVariant, Parameters>,
  { folder, threads }: OpenOptions,
): Pick<Painter, 'facts' | 'draw'> {
  const { source, model } = trained.task;
  const drawer = openDrawer(source, modelInputs(model), {
    keep: join(folder, 'encoded'),
    folder: join(folder, 'parts'),
    threads,
  });
  const facts = { ...factsOf(trained), drawing: drawingOf(trained) };
  return { facts, draw: painterDraw(drawer, (variant) => evaluatorPredict(evaluator, values[variant])) };
}

function drawingOf({ task: { data, spec } }: Trained): NonNullable<PlayFacts['drawing']> {
  const { resolution } = data as PictureData;
  const { steps, guidance, sampler } = { ...PICTURE_DEFAULTS, ...spec.training.pictures };
  return { width: resolution, height: resolution, steps, guidance, sampler };
}

/** Pictures of a pipeline, each with the seconds that it took. */
export const painterDraw =
  (drawer: Drawer, predict: (variant: PlayVariant) => Predict): Painter['draw'] =>
  async (question, variant, hooks): Promise<PlayPicture | undefined> => {
    const began = performance.now();
    const picture = await drawer.draw(question, predict(variant), hooks);
    if (!picture) return undefined;
    const { width, height, png } = picture;
    return { width, height, png: png.toString('base64'), seconds: (performance.now() - began) / 1000 };
  };
