import type { AdapterBudget } from '../../protocol/budget';
import type { LayerAdapter, NamedLayer } from '../targets/select';
import { nameTable } from '../../base/names';

/** HF PEFT prefixes every key with the names of its two wrappers. */
const PREFIX = 'base_model.model.';

/**
 * Metadata that a run writes next to the tensors; PEFT ignores unknown keys. The step has a fixed width, so that the
 * file's size is known before the run.
 */
export const weightsMetadata = (step: number): Record<string, string> => ({
  format: 'pt',
  step: String(step).padStart(9, '0'),
});

/** Bytes of the adapter_model.safetensors that a run writes, without a task head. */
export const adapterFileSize = (
  adapters: readonly LayerAdapter<NamedLayer>[],
  others: readonly [key: string, dims: number[]][] = [],
): AdapterBudget['file'] =>
  safetensorsSize(
    [
      ...adapters.flatMap(({ layer, tensors }) =>
        tensors.map((t): [string, number[]] => [`${PREFIX}${layer.path}.${t.peftName}`, t.dims]),
      ),
      ...others,
    ],
    weightsMetadata(0),
  );

/**
 * Size of a safetensors file of float32 tensors, from names and shapes alone, as `encodeSafetensors` writes it: 8 bytes
 * of length, a JSON header padded to 8 bytes, 4 bytes per number.
 */
export function safetensorsSize(
  tensors: readonly [key: string, dims: number[]][],
  metadata: Record<string, string>,
): AdapterBudget['file'] {
  const header = nameTable<unknown>([['__metadata__', metadata]]);
  let data = 0;
  for (const [name, shape] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = 4 * shape.reduce((n, d) => n * d, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [data, (data += bytes)] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header)).length;
  const padded = Math.ceil(json / 8) * 8;
  return { header: padded, data, total: 8 + padded + data };
}
