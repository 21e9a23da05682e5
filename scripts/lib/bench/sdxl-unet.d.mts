/** config.json of a U-Net with the blocks of SDXL's. */
export interface UnetConfig extends Readonly<Record<string, unknown>> {
  block_out_channels: number[];
  transformer_layers_per_block: number[];
  cross_attention_dim: number;
  projection_class_embeddings_input_dim: number;
}
export const SDXL_CONFIG: UnetConfig;
/** Name and shape of each of its weights. */
export function unetWeights(config?: UnetConfig): [string, number[]][];
