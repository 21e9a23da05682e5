import { fromPattern } from '../adapters/targets/targets';
import { AuroraError } from '../base/errors';
import type { FloatTensor, SafetensorsFile } from '../graph/file/safetensors';
import type { AdapterFolder } from './adapter-folder';
import { PREFIX } from './keys';
import { plainLoraConfig } from './plain-lora-config';

/**
 * LoRA in the layout of diffusers' save_lora_weights: one file, whose keys begin with the pipeline's component, and
 * PEFT's configuration of each component in its metadata (lora_base.py).
 */
export const LORA_FILE = 'pytorch_lora_weights.safetensors';
/** In the file's metadata: JSON with keys such as "unet.lora_alpha". */
export const METADATA = 'lora_adapter_metadata';

/** Names of a pipeline's components; the second text encoder's begins with the first's. */
export const COMPONENTS = ['unet', 'text_encoder', 'text_encoder_2'] as const;
export type Component = (typeof COMPONENTS)[number];

/** The component of a trained module, and its path there: a text encoder's path names it, the U-Net's is bare. */
export function componentOf(path: string): { component: Component; within: string } {
  const [first] = path.split('.', 1);
  const component = COMPONENTS.find((name) => name === first);
  return component
    ? { component, within: path.slice(first.length + 1) }
    : { component: 'unet', within: path };
}

/**
 * A LoRA of diffusers as PEFT's folder holds it: a plain LoRA or DoRA, whose alpha is that of the metadata, or of a key
 * `.alpha`, or the rank, with which diffusers scales by 1.
 *
 * @throws AuroraError 'adapter' if it is in another program's layout
 */
export function diffusersLora(path: string, { tensors, metadata }: SafetensorsFile): AdapterFolder {
  const settings = settingsIn(path, metadata[METADATA]);
  const found = new Map<string, FloatTensor>();
  const alphas = new Map<string, number>();
  const ranks = new Map<string, number>();
  for (const [key, tensor] of tensors) {
    const { component, within } = componentIn(path, key);
    const name = newName(within, component);
    const module = (component === 'unet' ? '' : `${component}.`) + name.replace(PART, '');
    if (name.endsWith('.alpha')) alphas.set(module, tensor.data[0]);
    else found.set(PREFIX + (component === 'unet' ? '' : `${component}.`) + name, tensor);
    if (name.endsWith('.lora_B.weight')) ranks.set(module, tensor.dims[1]);
  }
  for (const [module, rank] of ranks)
    alphas.set(module, alphas.get(module) ?? alphaIn(settings, module, rank));
  const config = {
    ...plainLoraConfig(ranks, alphas),
    use_dora: [...found.keys()].some((key) => key.includes('lora_magnitude_vector')),
    lora_bias: [...found.keys()].some((key) => key.endsWith('.lora_B.bias')),
  };
  return { folder: path, config, tensors: found };
}

/** By component: r, lora_alpha and so on. */
type Settings = Map<Component, Map<string, unknown>>;

function settingsIn(path: string, text: string | undefined): Settings {
  if (text === undefined) return new Map();
  let all: unknown;
  try {
    all = JSON.parse(text);
  } catch {
    // Reported below.
  }
  if (typeof all !== 'object' || all === null)
    throw new AuroraError(
      'adapter',
      `${path} has metadata ${METADATA} that are not JSON.`,
      'Copy or download the adapter again.',
    );
  const settings: Settings = new Map();
  for (const [key, value] of Object.entries(all)) {
    const { component, within } = componentOf(key);
    settings.set(component, (settings.get(component) ?? new Map<string, unknown>()).set(within, value));
  }
  return settings;
}

/** The alpha with which alpha / rank is the scale that PEFT computes. */
function alphaIn(settings: Settings, module: string, rank: number): number {
  const { component, within } = componentOf(module);
  const own = settings.get(component);
  const common = own?.get('lora_alpha');
  if (typeof common !== 'number') return rank;
  const pattern = (own!.get('alpha_pattern') ?? {}) as Record<string, number>;
  const alpha = fromPattern(within, pattern, common, 'alphaPattern');
  return own!.get('use_rslora') === true ? alpha * Math.sqrt(rank) : alpha;
}

function componentIn(path: string, key: string): { component: Component; within: string } {
  const found = componentOf(key);
  // A U-Net's own path has no prefix here.
  if (found.within !== key) return found;
  throw new AuroraError(
    'adapter',
    `${path} has the key ${key}, which does not begin with ${COMPONENTS.map((name) => `${name}.`).join(', ')}.`,
    'Import a file that diffusers’ save_lora_weights or kohya’s scripts have written.',
  );
}

/** The end of a key after a module's path. */
const PART = /\.(lora_[AB]\.weight|lora_B\.bias|lora_magnitude_vector(\.weight)?|alpha)$/;

/** The current name; older versions have other names for a layer's two matrices (state_dict_utils.py). */
function newName(name: string, component: Component): string {
  const inText = component !== 'unet';
  return name
    .replace('.processor.', '.')
    .replace(/\.to_(q|k|v|out)_lora\.(down|up)\./, (_, layer: string, part: string) => {
      const own = layer === 'out' ? 'to_out.0' : `to_${layer}`;
      return `.${inText ? `${layer}_proj` : own}.lora.${part}.`;
    })
    .replace(
      /\.lora(?:_linear_layer)?\.(down|up)\./,
      (_, part: string) => `.lora_${part === 'down' ? 'A' : 'B'}.`,
    );
}
