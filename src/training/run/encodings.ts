import { preparingRead } from '../../protocol/preparing';
import { runPaths } from '../../runs/layout';
import { modelInputs, type LoadData, type TaskData } from '../../tasks/task-data';
import { openDrawer, type Drawer } from '../diffusion/drawer';
import { encodeData, isPictureData } from '../diffusion/encode-data';
import type { EncodeOptions } from '../diffusion/encoded';
import type { BaseModel } from '../task/adapted-model';
import type { LoadFor, Task } from '../task/task';
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
  async encode(base: BaseModel, data: TaskData): Promise<void> {
    const began = performance.now();
    const isDone = await encodeData(this.open.spec, base, data, this.options);
    this.seconds += (performance.now() - began) / 1000;
    if (!isDone) throw new StoppedReading(this.open.stopRequested() ?? 'requested');
  }

  /** Reads data and encodes them. @throws StoppedReading */
  of(load: LoadData): LoadFor {
    return async (spec, base, known, watch) => {
      const data = await load(spec, base.model, known, watch);
      await this.encode(base, data);
      return data;
    };
  }

  /** Draws pictures during training; their prompts are encoded now. Undefined if there are none to draw. */
  async drawer({ source, model, data }: Task): Promise<Drawer | undefined> {
    const { pictures } = this.open.spec.training;
    if (!pictures || !isPictureData(data)) return undefined;
    const drawer = openDrawer(source, modelInputs(model), this.options);
    const { prompts, negativePrompt: negative } = pictures;
    await drawer.prepare(prompts.map((text) => ({ text, negative })));
    return drawer;
  }
}
