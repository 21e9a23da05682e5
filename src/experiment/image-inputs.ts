/** The inputs of a model that reads patches of images: their values, which of them count, and rows and columns. */
export const PATCH_INPUTS = {
  pixels: 'pixel_values',
  mask: 'pixel_attention_mask',
  shapes: 'spatial_shapes',
} as const;

type Inputs = readonly { name: string; shape?: readonly unknown[] }[];

/** True for a model that reads patches of images, whose numbers of rows and columns differ. */
export const readsPatches = (inputs: Inputs): boolean =>
  Object.values(PATCH_INPUTS).every((name) => inputs.some((i) => i.name === name));

/** True for a model that reads images, which are one input of four axes, or patches. */
export const readsImages = (inputs: Inputs): boolean =>
  (inputs.length === 1 && inputs[0]!.shape?.length === 4) || readsPatches(inputs);
