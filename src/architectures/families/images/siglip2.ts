import { paddingBias } from '../../blocks/attention';
import { clipLayers } from '../../blocks/clip-layers';
import { layerNorm, linear } from '../../blocks/layers';
import { positionsByShape } from '../../blocks/naflex';
import { type Network, USUAL_SIZES } from '../../blocks/network';
import { flat, hiddenOutput, inRows, integers } from '../../blocks/text';
import { DType } from '../../../graph/dtype';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { BASE_SIZE, encoderSize } from '../../settings';
import { IMAGES, MARKER, SIGLIP_ACTIVATION } from './siglip';
import { twoModels } from './two-models';

/** A larger table than any model has: the weights of its rows are held in memory. */
const MOST_SIDE = 512;

/** Siglip2VisionModel in transformers (modeling_siglip2.py, Siglip2VisionConfig), which reads patches of pictures. */
export const siglip2Vision: Family = {
  prefixes: [IMAGES],
  marker: MARKER,
  build: (net, config) => buildVision(net, config, ''),
};

/** Siglip2ForImageClassification (Siglip2Config); a folder of Siglip2Model is a text model and an image model in one. */
export const siglip2: Family = {
  prefixes: [''],
  marker: `${IMAGES}${MARKER}`,
  build(net, config) {
    if (!config.isFor('ForImageClassification'))
      throw twoModels(config, 'a text model and an image model', [['vision_config', 'siglip2_vision_model']]);
    buildVision(net, config.section('vision_config') ?? config, IMAGES);
  },
};

/**
 * Patches (batch, sequence, channels · patch²), a mask and the rows and columns of each picture, as
 * Siglip2ImageProcessor makes them.
 *
 * @param prefix of the model's modules
 */
function buildVision(net: Network, config: Config, prefix: string): void {
  const size = encoderSize(config, { ...BASE_SIZE, epsilon: 1e-6 });
  const { hidden, heads, width, epsilon } = size;
  const pixels = config.count('num_channels', 3) * config.count('patch_size', 16) ** 2;
  const count = config.count('num_patches', 256);
  const side = Math.floor(Math.sqrt(count));
  if (side ** 2 !== count || side > MOST_SIDE)
    throw config.unsupported('num_patches', [Math.min(side, MOST_SIDE) ** 2]);
  const values = net.g.addInput('pixel_values', DType.float, ['batch', 'sequence', pixels]);
  const mask = integers(net, 'pixel_attention_mask');
  const shapes = integers(net, 'spatial_shapes', ['batch', 2]);
  net.metadata.set(USUAL_SIZES, JSON.stringify({ sequence: count }));
  const rows = net.op('', 'Shape', [mask]);
  const at = `${prefix}embeddings`;
  const cut = linear(net, `${at}.patch_embedding`, flat(net, values, pixels), { from: pixels, to: hidden });
  const table = net.weight(`${at}.position_embedding.weight`, [count, hidden]);
  const positions = positionsByShape(net, { table, side }, shapes, rows);
  const embedded = net.op(at, 'Add', [inRows(net, cut, rows, hidden), positions]);
  const shape = { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) };
  const x = clipLayers(net, config, `${prefix}encoder`, flat(net, embedded, hidden), {
    size,
    shape,
    act: SIGLIP_ACTIVATION,
  });
  hiddenOutput(net, layerNorm(net, `${prefix}post_layernorm`, x, hidden, epsilon), rows, hidden);
}
