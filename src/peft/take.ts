import { tensorName } from '../adapters/inject';
import type { LayerAdapter } from '../adapters/targets/select';
import { AuroraError } from '../base/errors';
import type { FloatTensor } from '../graph/file/safetensors';
import { areDims } from './convolution-dims';

/** The tensors of one module in an adapter's file, by their keys after its path. */
export type ModuleTensors = ReadonlyMap<string, FloatTensor>;

/**
 * A module's tensors by the graph's names; all must exist and match the layer's size.
 *
 * @param outside the tensors outside of modules, by their keys
 */
export function take(
  folder: string,
  path: string,
  own: ModuleTensors,
  adapter: LayerAdapter,
  outside: ModuleTensors = new Map(),
): Map<string, Float32Array> {
  const left = new Map(own);
  const values = new Map<string, Float32Array>();
  const { layer } = adapter;
  for (const t of adapter.tensors) {
    const tensor = left.get(t.peftName) ?? (t.outside && outside.get(t.outside.key));
    if (!tensor)
      throw t.frozen ? notSaved(folder, path, t.peftName) : misfit(`${folder} has no ${path}.${t.peftName}.`);
    if (!areDims(tensor.dims, t.peftName, t.dims))
      throw misfit(
        `${folder}: ${path}.${t.peftName} is [${tensor.dims.join(', ')}], but ${layer.path} (${layer.outFeatures} × ${layer.inFeatures}) needs [${t.dims.join(', ')}].`,
      );
    values.set(tensorName(adapter, t.name), tensor.data);
    left.delete(t.peftName);
  }
  const [more] = left.keys();
  if (more !== undefined)
    throw misfit(`${folder} has ${path}.${more}, which its configuration does not mention.`);
  return values;
}

/** PEFT's random numbers cannot be drawn again here. */
const notSaved = (folder: string, path: string, name: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${folder} has no ${path}.${name}, a frozen tensor that nothing else determines.`,
    'In PEFT, save the adapter with its frozen tensors: save_projection=True for methods that have it.',
  );

export const misfit = (message: string): AuroraError =>
  new AuroraError('adapter', message, 'The adapter belongs to another model or has been changed.');
