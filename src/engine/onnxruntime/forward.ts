import type { Model } from '../../graph/model';
import { saveByReference } from '../../graph/file/save';
import type { Executable } from '../engine';
import type { EvaluatorOptions } from '../stepper';
import { deviceFeeds, deviceGraph } from './device-graph';
import { openSession } from './session';

/** @param folder the folder in which the graph is saved, on the model's file system if possible */
export async function openForward(
  model: Model,
  folder: string,
  { place, threads }: EvaluatorOptions,
): Promise<Executable> {
  if (place?.engine === 'tfjs') throw new Error('This is the ONNX Runtime engine.');
  const device = place?.device ?? 'cpu';
  const graph = deviceGraph(model, device);
  // The runtime's optimization crashes the process if many inner tensors are also outputs (1.30), and fused tensors
  // would not be visible.
  const optimization = model.graph.outputs.length > 1 ? 'disabled' : 'all';
  const path = saveByReference(graph, folder, 'forward.onnx');
  const session = await openSession(path, { device, threads, optimization });
  return {
    run: (feeds, fetches) => session.run(deviceFeeds(graph, feeds), fetches),
    dispose: () => session.dispose(),
  };
}
