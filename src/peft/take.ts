import { tensorName } from '../adapters/stored-tensors';
import { ownValues } from '../adapters/merge';
import { layerValues } from '../adapters/methods/layer-values';
import type { Draw, Values } from '../adapters/methods/method';
import { weightStart } from '../adapters/starts/layer-start';
import type { LayerAdapter } from '../adapters/targets/select';
import { AuroraError } from '../base/errors';
import { splitsWeight, type StartingSpec, type WeightStart } from '../experiment/methods';
import type { FloatTensor } from '../graph/file/safetensors';
import { elementCount } from '../graph/model';
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
  const before = splitsWeight(adapter.spec) ? valuesBefore(folder, adapter) : {};
  for (const t of adapter.tensors) {
    if (Object.hasOwn(before, t.name)) {
      values.set(tensorName(adapter, t.name), before[t.name]);
      continue;
    }
    if (t.follows) continue;
    const tensor = left.get(t.peftName) ?? (t.outside && outside.get(t.outside.key(path)));
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
  for (const [name, data] of Object.entries(following(adapter, ownValues(adapter, values))))
    values.set(tensorName(adapter, name), data);
  return values;
}

/** The tensors of an adapter that PEFT's file lacks because they follow from those that it has, by short name. */
export function following(adapter: LayerAdapter, stored: Values): Values {
  const values = { ...stored };
  const found: Values = {};
  const base = layerValues(adapter.layer);
  for (const t of adapter.tensors.filter(({ follows }) => follows)) {
    const among = { values, sharing: [base] };
    values[t.name] = found[t.name] = t.init(NO_DRAW, elementCount(t.dims), base, among);
  }
  return found;
}

const NO_DRAW: Draw = { uniform: noDraw, normal: noDraw };

function noDraw(): never {
  throw new Error('A tensor that follows from others draws no random numbers.');
}

/**
 * A0 and B0 of an adapter that PEFT split off the weights, computed from these as PEFT does whenever it loads the adapter.
 * Only their product counts, so that signs make no difference.
 *
 * @throws AuroraError 'adapter' if PEFT's weights differ from those here
 */
function valuesBefore(folder: string, adapter: LayerAdapter): Values {
  const { layer, spec } = adapter;
  const { initialization } = spec as StartingSpec;
  if (layer.dequantize)
    throw notComputed(folder, layer.path, 'is stored in few bits, which PEFT rounds again');
  if (layer.isConvolution) throw notComputed(folder, layer.path, 'is that of a convolution');
  const { A, B } = weightStart(adapter, initialization as WeightStart);
  return { A0: A, B0: B };
}

const notComputed = (folder: string, path: string, why: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${folder} is a part that PEFT split off the model's weights (init_lora_weights), and the weight of ${path} ${why}.`,
    'In PEFT, save it as a plain LoRA: save_pretrained(…, path_initial_model_for_weight_conversion=…).',
  );

/** PEFT's random numbers cannot be drawn again here. */
const notSaved = (folder: string, path: string, name: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${folder} has no ${path}.${name}, a frozen tensor that nothing else determines.`,
    'In PEFT, save the adapter with its frozen tensors: save_projection=True for methods that have it.',
  );

export const misfit = (message: string): AuroraError =>
  new AuroraError('adapter', message, 'The adapter belongs to another model or has been changed.');
