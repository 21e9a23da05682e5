import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { HostTensors } from '../../engine/engine';
import { deviceGraph } from '../../engine/onnxruntime/device-graph';
import { openSession } from '../../engine/onnxruntime/session';
import { saveByReference } from '../../graph/file/save';
import { outputsNamed, type Model } from '../../graph/model';
import { prune } from '../../graph/prune';

/** An encoder or a decoder of a pipeline. */
export interface Component {
  /** Of the file that says how it is built: config.json, or an ONNX file. */
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
 * Opens a component for some of its outputs; what the others need is not computed.
 *
 * @param folder for its graph, which is removed when it is closed
 * @param threads 0 for one per core
 * @throws AuroraError 'model' if the runtime rejects it
 */
export async function openComponent(
  model: Model,
  outputs: readonly string[],
  { folder, threads }: { folder: string; threads: number },
): Promise<OpenComponent> {
  const pruned = { ...model, graph: prune({ ...model.graph, outputs: outputsNamed(outputs) }) };
  const own = join(folder, 'component');
  const session = await openSession(saveByReference(deviceGraph(pruned, 'cpu'), own, 'component.onnx'), {
    threads,
  });
  return {
    run: (inputs) => session.run(inputs),
    async close() {
      await session.dispose();
      rmSync(own, { recursive: true, force: true });
    },
  };
}
