import { readPipeline } from '../../architectures/pipeline';
import type { Model } from '../../graph/model';
import { preparingRead } from '../../protocol/preparing';
import { runPaths } from '../../runs/layout';
import { modelInputs, type LoadData, type TaskData } from '../../tasks/task-data';
import { openDrawer, type Drawer } from '../diffusion/drawer';
import { encodeData, isPictureData } from '../diffusion/encode-data';
import type { EncodeOptions } from '../diffusion/encoded';
import type { OpenRun } from './open-run';
import { StoppedReading } from './reading';

/**
 * The results of a pipeline's encoders for a run's images and prompts: kept in the run, or by its sweep for all trials.
 */
export class Encodings {
  private readonly options: EncodeOptions;
  /** Spent so far. */
  seconds = 0;

  constructor(private readonly open: OpenRun) {
    const { run, options } = open;
    this.options = {
      keep: options.frozen ?? runPaths(run).encoded,
      folder: open.graphs,
      threads: options.threads,
      progress(done, of) {
        open.listener.encoding(done, of);
        open.pulse.preparing(preparingRead('images and prompts', done, of));
      },
      stopped: () => open.stopRequested() !== undefined,
    };
  }

  /** @throws StoppedReading */
  async encode(model: Model, data: TaskData): Promise<void> {
    const began = performance.now();
    const isDone = await encodeData(this.open.spec, model, data, this.options);
    this.seconds += (performance.now() - began) / 1000;
    if (!isDone) throw new StoppedReading(this.open.stopRequested() ?? 'requested');
  }

  /** Reads data and encodes them. @throws StoppedReading */
  of(load: LoadData): LoadData {
    return async (spec, model, known, watch) => {
      const data = await load(spec, model, known, watch);
      await this.encode(model, data);
      return data;
    };
  }

  /** Draws pictures during training; their prompts are encoded now. Undefined if there are none to draw. */
  async drawer(model: Model, data: TaskData): Promise<Drawer | undefined> {
    const { pictures } = this.open.spec.training;
    if (!pictures || !isPictureData(data)) return undefined;
    const pipeline = readPipeline(this.open.spec.model.path);
    const drawer = openDrawer(pipeline, modelInputs(model), this.options);
    const { prompts, negativePrompt: negative } = pictures;
    await drawer.prepare(prompts.map((text) => ({ text, negative })));
    return drawer;
  }
}
