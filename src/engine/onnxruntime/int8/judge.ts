import type { Model } from '../../../graph/model';
import type { HostTensors } from '../../engine';
import { leastCosine, type Gradients } from './agreement';

/** Runs graphs on the batch that int8 is judged on; one is open at a time. */
export interface Judge {
  open(model: Model): Promise<Opened>;
  /** The outputs of the step's graph that are gradients, by the name of the trainable tensor. */
  gradients: ReadonlyMap<string, string>;
}

export interface Opened {
  /** @param more inputs than those of the batch */
  run(outputs: readonly string[], more?: HostTensors): Promise<HostTensors>;
  dispose(): Promise<void>;
}

/** Opens a graph for as long as something is done with it. */
export async function whileOpen<T>(
  judge: Judge,
  model: Model,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await judge.open(model);
  try {
    return await use(opened);
  } finally {
    await opened.dispose();
  }
}

export async function gradientsOf(
  { gradients }: Judge,
  opened: Opened,
  more?: HostTensors,
): Promise<Gradients> {
  const out = await opened.run([...gradients.values()], more);
  return new Map([...gradients].map(([name, y]) => [name, out[y].data as Float32Array]));
}

/** The least cosine of the gradients of two graphs. */
export const cosineOf = (judge: Judge, model: Model, exact: Gradients): Promise<number> =>
  whileOpen(judge, model, async (opened) => leastCosine(exact, await gradientsOf(judge, opened)));
