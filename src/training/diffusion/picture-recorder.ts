import { join } from 'node:path';
import type { Evaluator, Parameters } from '../../engine/stepper';
import type { PicturesSpec } from '../../experiment/pictures';
import { writeAtomic } from '../../files/atomic';
import type { RunPictures } from '../../protocol/run-files/pictures';
import { runPaths, stepName } from '../../runs/layout';
import { picturesIndex, readPictures } from '../../runs/samples-and-pictures';
import type { MicroBatches } from '../micro-batch/micro-batches';
import { withoutAdapters } from '../task/adapted-model';
import type { Task } from '../task/task';
import type { Drawer } from './drawer';
import { isPictureData } from './encode-data';
import type { Predict } from './sampler';
import { taskPredict } from './task-predict';

/** Seeds are integers of 32 bits. */
const SEEDS = 2 ** 32;

/** The session and the parameters that run a model in training. */
interface Running {
  stepper: Evaluator;
  micro: MicroBatches;
}

/** The number of pictures that were drawn. */
export interface Drawn {
  /** Without the adapters. */
  base: number;
  adapted: number;
}

/**
 * Draws the prompts of training.pictures during training, and once without the adapters, into the folder `pictures`. Each
 * picture is written whole, and the index after it, so that a reader finds all that the index names. Nothing that training
 * does depends on it.
 */
export class PictureRecorder {
  private readonly pictures: RunPictures;

  /** @param from the step that the run is at: later pictures are drawn again */
  constructor(
    private readonly task: Task,
    private readonly run: string,
    private readonly drawer: Drawer,
    private readonly totalSteps: number,
    from: number,
  ) {
    this.pictures = kept(readPictures(run), indexOf(task), from);
  }

  private get spec(): PicturesSpec {
    return this.task.spec.training.pictures!;
  }

  /**
   * Draws the pictures that are due after a step, and the pictures without the adapters if they are missing.
   *
   * @param stopped asked between the steps of a sampler; missing pictures are drawn when the run resumes at this step
   * @returns the number of pictures that were drawn, without the adapters and with them
   */
  async after(
    step: number,
    { stepper, micro }: Running,
    parameters: Parameters,
    stopped: () => boolean,
  ): Promise<Drawn> {
    const { prompts, base, evaluations } = this.pictures;
    const drawn: Drawn = { base: 0, adapted: 0 };
    if (base.length < prompts.length) {
      const values = withoutAdapters(this.task.adapters, parameters);
      drawn.base = await this.draw('base', base, taskPredict(stepper, micro, values), stopped);
    }
    const isDue = step > 0 && (step % this.spec.every === 0 || step === this.totalSteps);
    if (!isDue || stopped()) return drawn;
    const at = evaluations.find((e) => e.step === step) ?? { step, files: [] };
    if (!evaluations.includes(at)) evaluations.push(at);
    const predict = taskPredict(stepper, micro, parameters);
    drawn.adapted = await this.draw(stepName(step), at.files, predict, stopped);
    return drawn;
  }

  /** @param files the names of those that are there, by prompt; each new one is added */
  private async draw(
    name: string,
    files: string[],
    predict: Predict,
    stopped: () => boolean,
  ): Promise<number> {
    const { prompts, negativePrompt: negative, width, height } = this.pictures;
    const before = files.length;
    for (const [i, { text, seed }] of [...prompts.entries()].slice(before)) {
      const settings = { ...this.spec, width, height, seed };
      const question = { text, settings, negative };
      const drawn = await this.drawer.draw(question, predict, { stopped });
      if (!drawn) break;
      const file = `${name}-${i}.png`;
      writeAtomic(join(runPaths(this.run).pictures, file), drawn.png, this.run);
      files.push(file);
      writeAtomic(picturesIndex(this.run), `${JSON.stringify(this.pictures)}\n`, this.run);
    }
    return files.length - before;
  }
}

function indexOf({ spec, data }: Task): RunPictures {
  const { sampler, steps, guidance, negativePrompt, prompts, seed } = spec.training.pictures!;
  const side = isPictureData(data) ? data.resolution : 0;
  return {
    version: 1,
    ...{ width: side, height: side, sampler, steps, guidance },
    negativePrompt,
    prompts: prompts.map((text, i) => ({ text, seed: (seed + i) % SEEDS })),
    base: [],
    evaluations: [],
  };
}

/** The pictures that were drawn up to a step; nothing if a fork draws with other settings. */
function kept(before: RunPictures | undefined, fresh: RunPictures, from: number): RunPictures {
  if (!before) return fresh;
  const { base, evaluations, ...settings } = before;
  const wanted = { ...fresh, base: undefined, evaluations: undefined };
  if (JSON.stringify(settings) !== JSON.stringify(wanted)) return fresh;
  return { ...fresh, base, evaluations: evaluations.filter(({ step }) => step <= from) };
}
