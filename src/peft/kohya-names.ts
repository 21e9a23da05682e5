import { componentOf } from './diffusers-lora-file';

/** The U-Net's blocks, whose numbers in the original names follow from them. */
export interface UNetBlocks {
  /** Resnets of each block on the way down; one more on the way up. */
  resnets: number;
}

/** `input_blocks` in the original names count all resnets and downsamplers, so that blocks must have the same number. */
export function blocksOf(paths: Iterable<string>): UNetBlocks | undefined {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const [, block, resnet] = /^down_blocks\.(\d+)\.resnets\.(\d+)\./.exec(path) ?? [];
    if (block !== undefined) counts.set(block, Math.max(counts.get(block) ?? 0, Number(resnet) + 1));
  }
  const [resnets, ...others] = new Set(counts.values());
  return resnets === undefined || others.length > 0 ? undefined : { resnets };
}

/** Layers with other names in the original U-Net; those of its resnets below. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['time_embedding.linear_1', 'time_embed.0'],
  ['time_embedding.linear_2', 'time_embed.2'],
  ['add_embedding.linear_1', 'label_emb.0.0'],
  ['add_embedding.linear_2', 'label_emb.0.2'],
]);

const IN_RESNET: ReadonlyMap<string, string> = new Map([
  ['time_emb_proj', 'emb_layers.1'],
  ['conv_shortcut', 'skip_connection'],
]);

const IN_BLOCK = /^(down_blocks\.(\d+)|mid_block|up_blocks\.(\d+))\.(resnets|attentions)\.(\d+)\.(.+)$/;

/**
 * The path of a linear layer, or of a convolution of single pixels, of diffusers' U-Net in the original one (openaimodel.py of latent diffusion), as in
 * make_unet_conversion_map of sd-scripts' sdxl_model_util.py: `input_blocks.4.1.transformer_blocks.0.attn1.to_q`.
 */
export function originalPath(path: string, { resnets }: UNetBlocks): string | undefined {
  const [, at, down, up, kind, index, rest] = IN_BLOCK.exec(path) ?? [];
  if (at === undefined) return RENAMED.get(path);
  const isResnet = kind === 'resnets';
  const within = (isResnet && IN_RESNET.get(rest)) || rest;
  const j = Number(index);
  if (down !== undefined)
    return `input_blocks.${1 + Number(down) * (resnets + 1) + j}.${isResnet ? 0 : 1}.${within}`;
  if (up !== undefined)
    return `output_blocks.${Number(up) * (resnets + 1) + j}.${isResnet ? 0 : 1}.${within}`;
  return `middle_block.${isResnet ? 2 * j : 1}.${within}`;
}

const joined = (path: string): string => path.replaceAll('.', '_');

/**
 * The name of a layer in LoRA of kohya's sd-scripts (networks/lora.py): the prefix of its component, and its path with
 * underscores. Those of SD 1 and 2 have diffusers' paths, those of SDXL the original ones.
 *
 * @param path as in the experiment: a text encoder's path names it, the U-Net's is bare
 * @returns undefined for a layer that kohya's scripts and A1111 have no name for
 */
export function kohyaName(path: string, isXl: boolean, blocks: UNetBlocks | undefined): string | undefined {
  const { component, within } = componentOf(path);
  if (component !== 'unet') {
    if (!within.includes('.encoder.layers.')) return undefined;
    const number = component === 'text_encoder_2' ? '2' : isXl ? '1' : '';
    return `lora_te${number}_${joined(within)}`;
  }
  if (within === 'encoder_hid_proj') return undefined;
  const own = isXl ? blocks && originalPath(within, blocks) : within;
  return own === undefined ? undefined : `lora_unet_${joined(own)}`;
}

/** A module's name of kohya's scripts, which has no dots. */
const NAME = /^lora_(unet|te[12]?)_[^.]+$/;

export const isKohyaName = (module: string): boolean => NAME.test(module);

/** True for a module of a text encoder, by its path or by its name of kohya's scripts. */
export const isInTextEncoder = (module: string): boolean =>
  componentOf(module).component !== 'unet' || /^lora_te[12]?_/.test(module);

/**
 * The paths of layers by their names of kohya's scripts. A file may have either spelling of the U-Net's
 * paths, whichever model it is for, and SD's text encoder may be the first of several, as in ComfyUI (comfy/lora.py).
 */
export function kohyaPaths(paths: readonly string[]): Map<string, string> {
  const blocks = blocksOf(paths);
  const named = new Map<string, string>();
  for (const path of paths)
    for (const isXl of [false, true]) {
      const name = kohyaName(path, isXl, blocks);
      if (name !== undefined) named.set(name, path);
    }
  return named;
}
