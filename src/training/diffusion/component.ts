import { basename, dirname, join } from 'node:path';
import type { HostTensors } from '../../engine/stepper';
import { deviceGraph } from '../../engine/onnxruntime/device-graph';
import { openSession } from '../../engine/onnxruntime/session';
import { saveByReference } from '../../graph/file/save';
import { outputsNamed, type Model } from '../../graph/model';
import { prune } from '../../graph/reads';

/** An encoder or a decoder of a pipeline. */
export interface Component {
  /** The path of the file that describes its structure: config.json, or an ONNX file. */
  path: string;
  load(): Model;
}

/** A component that is in memory. */
export interface OpenComponent {
  /** @returns the outputs that it was opened for */
  run(inputs: HostTensors): Promise<HostTensors>;
  close(): Promise<void>;
}

/**
 * Opens a component for some of its outputs; nodes that only the others need are not computed.
 *
 * @param path of the component
 * @param folder the folder in which its graph is written, with its weights linked or copied beside it: they stay there,
 *   so that they are not copied again for the next prompt or picture. The caller removes it
 * @param threads 0 for one per core
 * @throws AuroraError 'model' if the runtime rejects it
 */
export async function openComponent(
  model: Model,
  path: string,
  outputs: readonly string[],
  { folder, threads }: { folder: string; threads: number },
): Promise<OpenComponent> {
  const pruned = { ...model, graph: prune({ ...model.graph, outputs: outputsNamed(outputs) }) };
  const own = join(folder, basename(dirname(path)));
  const session = await openSession(saveByReference(deviceGraph(pruned, 'cpu'), own, 'component.onnx'), {
    threads,
  });
  return { run: (inputs) => session.run(inputs), close: () => session.dispose() };
}
