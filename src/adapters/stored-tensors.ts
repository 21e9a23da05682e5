import { elementCount } from '../graph/model';
import type { LinearLayer } from '../graph/layers/linear';
import type { AdapterTensor, NamedAdapter } from './methods/method';
import type { LayerAdapter, NamedLayer } from './targets/select';

/**
 * Name of an adapter's tensor in the graph: `<module path>.<A|B|H|W>`, after the slot of one among several adapters. A tensor
 * that layers share has the path of the first of them.
 */
export const tensorName = ({ layer, slot, owners }: NamingAdapter, short: string): string =>
  `${slot === undefined ? '' : `${slot}:`}${owners?.[short] ?? layer.path}.${short}`;

type NamingAdapter = Pick<LayerAdapter<NamedLayer>, 'layer' | 'slot' | 'owners'>;

/** A tensor of an adapter by its name in the graph. */
export interface StoredTensor<L extends NamedLayer = LinearLayer> {
  name: string;
  tensor: AdapterTensor;
  /** The first adapter that has it. */
  adapter: LayerAdapter<L>;
}

/** The tensors of all adapters, those that layers share once. */
export function storedTensors<L extends NamedLayer>(adapters: readonly LayerAdapter<L>[]): StoredTensor<L>[] {
  const all = new Map<string, StoredTensor<L>>();
  for (const adapter of adapters)
    for (const tensor of adapter.tensors) {
      const name = tensorName(adapter, tensor.name);
      if (!all.has(name)) all.set(name, { name, tensor, adapter });
    }
  return [...all.values()];
}

/** The adapters of a run's method, without what is trained beside them, with the names of their tensors. */
export const namedAdapters = (adapters: readonly LayerAdapter[]): NamedAdapter[] =>
  adapters.filter(({ beside }) => !beside).map((on) => ({ on, names: ownNames(on) }));

/** The names of an adapter's tensors by their short names. */
export const ownNames = (adapter: LayerAdapter): Record<string, string> =>
  Object.fromEntries(adapter.tensors.map((t) => [t.name, tensorName(adapter, t.name)]));

/** Trainable parameters of a set of adapters. */
export const parameterCount = (adapters: readonly LayerAdapter<NamedLayer>[]): number =>
  valueCount(adapters, (tensor) => !tensor.frozen);

/** Values of a set of adapters that are stored and not trained. */
export const frozenCount = (adapters: readonly LayerAdapter<NamedLayer>[]): number =>
  valueCount(adapters, (tensor) => tensor.frozen === true);

const valueCount = (
  adapters: readonly LayerAdapter<NamedLayer>[],
  counts: (tensor: AdapterTensor) => boolean,
): number =>
  storedTensors(adapters).reduce(
    (sum, { tensor }) => sum + (counts(tensor) ? elementCount(tensor.dims) : 0),
    0,
  );
