import { join } from 'node:path';
import type { Evaluator, Parameters } from '../../engine/stepper';
import { PICTURE_DEFAULTS } from '../../experiment/pictures';
import type { PlayFacts, PlayVariant } from '../../protocol/playground';
import type { PictureData } from '../../tasks/pictures/picture-example';
import { modelInputs } from '../../tasks/task-data';
import type { Trained } from '../../training/checkpoint/trained-run';
import { openDrawer } from '../../training/diffusion/drawer';
import { evaluatorPredict } from '../../training/diffusion/predict';
import type { OpenOptions } from '../run';
import { factsOf } from '../run-facts';
import type { Painter } from '../subject';
import { painterDraw } from './painter';

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
