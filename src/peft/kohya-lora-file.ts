import { AuroraError } from '../base/errors';
import type { FloatTensor, SafetensorsFile } from '../graph/file/safetensors';
import type { AdapterFolder } from './adapter-folder';
import { PREFIX } from './keys';
import { isKohyaName } from './kohya-names';
import { plainLoraConfig } from './plain-lora-config';

/** A module's two matrices and its alpha in LoRA of kohya's scripts (networks/lora.py). */
export const KOHYA_DOWN = 'lora_down.weight';
export const KOHYA_UP = 'lora_up.weight';
export const KOHYA_ALPHA = 'alpha';

/** Parts of other methods that are spread in the same layout, mostly LyCORIS's. */
const OTHERS: readonly [pattern: RegExp, what: string][] = [
  [/^hada_/, 'LoHa'],
  [/^lokr_/, 'LoKr'],
  [/^dora_scale$/, 'DoRA, which programs scale along different axes'],
  [/^lora_mid\./, 'a LoRA of three matrices (Tucker)'],
  [/^(oft_|lora_oft)/, 'OFT'],
  [/^on_input$|^weight$/, '(IA)³'],
  [/^(diff|diff_b|w_norm|b_norm)$/, 'whole weights, biases or norms'],
];

const isOfKohya = (key: string): boolean => isKohyaName(key.split('.', 1)[0]);

/** True if a file has the layout of kohya's scripts, whatever method it holds. */
export const isKohyaFile = ({ tensors }: SafetensorsFile): boolean => [...tensors.keys()].some(isOfKohya);

/**
 * A LoRA of kohya's scripts as PEFT's folder holds it, whose modules have the names of the file, such as
 * `lora_unet_mid_block_attentions_0_proj_in`. A module without an alpha has its rank as alpha.
 *
 * @throws AuroraError 'adapter' for another method, and for LoRA on convolutions of several pixels
 */
export function kohyaLora(path: string, { tensors }: SafetensorsFile): AdapterFolder {
  const found = new Map<string, FloatTensor>();
  const alphas = new Map<string, number>();
  const ranks = new Map<string, number>();
  for (const [key, tensor] of tensors) {
    const dot = key.indexOf('.');
    const [module, part] = [key.slice(0, dot), key.slice(dot + 1)];
    if (!isKohyaName(module)) throw notKnown(path, key);
    if (part === KOHYA_ALPHA) {
      alphas.set(module, tensor.data[0]);
    } else if (part === KOHYA_DOWN || part === KOHYA_UP) {
      const matrix = matrixOf(path, key, tensor);
      found.set(`${PREFIX}${module}.${part === KOHYA_UP ? 'lora_B' : 'lora_A'}.weight`, matrix);
      if (part === KOHYA_UP) ranks.set(module, matrix.dims[1]);
    } else throw notKnown(path, key, part);
  }
  for (const [module, rank] of ranks) alphas.set(module, alphas.get(module) ?? rank);
  return { folder: path, config: plainLoraConfig(ranks, alphas), tensors: found };
}

/** The matrix of a linear layer, or of a convolution of single pixels. */
function matrixOf(path: string, key: string, { dims, data }: FloatTensor): FloatTensor {
  const [rows, columns, ...kernel] = dims;
  if (dims.length >= 2 && kernel.every((size) => size === 1)) return { dims: [rows!, columns!], data };
  throw new AuroraError(
    'adapter',
    `${path} adapts a convolution of ${kernel.join(' × ')} pixels: ${key}. AuroRA Lab adapts linear layers and convolutions of single pixels.`,
    'Use a LoRA without convolutions: of kohya’s scripts, one that was trained without conv_dim.',
  );
}

function notKnown(path: string, key: string, part?: string): AuroraError {
  const other = part === undefined ? undefined : OTHERS.find(([pattern]) => pattern.test(part))?.[1];
  return new AuroraError(
    'adapter',
    other === undefined
      ? `${path} has a tensor that does not belong to a LoRA of kohya’s scripts: ${key}.`
      : `${path} contains ${other}: ${key}. Of kohya’s layout, AuroRA Lab reads plain LoRA.`,
    'Use a LoRA of Stable Diffusion 1, 2 or XL.',
  );
}
