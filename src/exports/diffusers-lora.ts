import { join } from 'node:path';
import { adapterScale } from '../adapters/methods/registry';
import { exactly } from '../adapters/targets/targets';
import type { LayerAdapter } from '../adapters/targets/select';
import { AuroraError } from '../base/errors';
import { sortedJson } from '../base/sorted-json';
import { writeAtomic } from '../files/atomic';
import { encodeSafetensors, type FloatTensor } from '../graph/file/safetensors';
import { pytorchPathOf } from '../graph/layers/linear';
import { peftDims } from '../peft/convolution-dims';
import { componentOf, COMPONENTS, LORA_FILE, METADATA, type Component } from '../peft/diffusers-lora-file';

/** A module with a LoRA. */
interface Pair {
  component: Component;
  /** The path in the component. */
  path: string;
  rank: number;
}

const B = 'lora_B.weight';
const BIAS = 'lora_B.bias';
const MAGNITUDES = 'lora_magnitude_vector';

/**
 * Writes a run's adapters as one LoRA of a pipeline, as diffusers' load_lora_weights reads it. Their scale is in B, so that
 * alpha is the rank: versions of diffusers that ignore the metadata scale by 1.
 *
 * @param partsOf an adapter's tensors as PEFT's LoRA has them (lora_A.weight, lora_B.weight), without their scale
 * @throws AuroraError 'usage' for an adapter with a bias
 */
export function writeDiffusersLora(
  folder: string,
  adapters: readonly LayerAdapter[],
  partsOf: (adapter: LayerAdapter) => ReadonlyMap<string, FloatTensor>,
): void {
  const tensors = new Map<string, FloatTensor>();
  const pairs: Pair[] = [];
  for (const adapter of adapters) {
    const { component, within: path } = componentOf(pytorchPathOf(adapter.layer));
    const scale = adapterScale(adapter.spec);
    const parts = partsOf(adapter);
    if (parts.has(BIAS)) throw noBias(adapter.layer.path);
    for (const [part, { dims, data }] of parts)
      tensors.set(`${component}.${path}.${part}`, {
        dims: peftDims(adapter.layer, part, dims),
        data: part === B ? data.map((v) => v * scale) : data,
      });
    pairs.push({ component, path, rank: parts.get(B)!.dims[1] });
  }
  const isDora = [...tensors.keys()].some((key) => key.endsWith(MAGNITUDES));
  const settings = COMPONENTS.flatMap((component) => {
    const own = pairs.filter((pair) => pair.component === component);
    return Object.entries(configOf(own, isDora)).map(
      ([key, value]) => [`${component}.${key}`, value] as const,
    );
  });
  const metadata = { format: 'pt', [METADATA]: sortedJson(Object.fromEntries(settings), 2) };
  writeAtomic(join(folder, LORA_FILE), encodeSafetensors(tensors, metadata), folder);
}

const noBias = (path: string): AuroraError =>
  new AuroraError(
    'usage',
    `The adapter of ${path} has a bias (adapter.loraBias), which a LoRA in diffusers’ layout is written without.`,
    'Export with --as safetensors, onnx-merged or adapter.',
  );

/** The settings of PEFT's LoraConfig for a component; none if nothing of it was trained. */
function configOf(pairs: readonly Pair[], isDora: boolean): Record<string, unknown> {
  if (pairs.length === 0) return {};
  const r = Math.max(...pairs.map(({ rank }) => rank));
  // With ^, PEFT takes a key for a whole path.
  const pattern = Object.fromEntries(
    pairs.filter(({ rank }) => rank !== r).map(({ path, rank }) => [`^${exactly(path)}`, rank]),
  );
  return {
    r,
    lora_alpha: r,
    rank_pattern: pattern,
    alpha_pattern: pattern,
    target_modules: pairs.map(({ path }) => path),
    use_dora: isDora,
  };
}
