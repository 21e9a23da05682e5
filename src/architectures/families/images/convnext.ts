import { activationOf, type Activation } from '../../blocks/activation';
import { conv2d } from '../../blocks/images';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { patches } from '../../blocks/patches';
import { flat, hiddenOutput } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { preparedSize } from '../../folder/prepared-size';

/** The stages of a published model, ConvNeXT-T. */
const TINY = { hidden: [96, 192, 384, 768], depths: [3, 3, 9, 3] };
/** The epsilon of norms that have no setting in ConvNeXT. */
const EPSILON = 1e-6;
/** Side of the kernels that read the neighbors of a place. */
const KERNEL = 7;

/** A map of features while it becomes smaller. */
interface Map {
  /** (places, size) */
  x: string;
  rows: number;
  columns: number;
  size: number;
}

/** The differences between ConvNeXT, its second version, and that of DINOv3. */
interface Variant {
  stages: string;
  /** Names of the modules of a layer. */
  layer: { depthwise: string; norm: string; up: string; down: string };
  /** The weight that scales what a layer adds. */
  scale?: (config: Config) => string | undefined;
  /** Applied between the two linear layers of a layer. */
  middle?: (net: Network, at: string, map: Map) => string;
  /** The modules of a stage that make the map smaller. */
  smaller: string;
  epsilon: (config: Config) => number;
}

const CONVNEXT: Variant = {
  stages: 'encoder.stages',
  layer: { depthwise: 'dwconv', norm: 'layernorm', up: 'pwconv1', down: 'pwconv2' },
  scale: (config) => (config.any('layer_scale_init_value', 1e-6) > 0 ? 'layer_scale_parameter' : undefined),
  smaller: 'downsampling_layer',
  epsilon: () => EPSILON,
};

const convnextLike = (prefix: string, variant: Variant): Family => ({
  prefixes: [prefix],
  marker: 'embeddings.patch_embeddings.weight',
  build(net, config) {
    const stages = stagesOf(config, config.count('num_stages', 4));
    const [hidden] = stages.hidden;
    const size = preparedSize(config.path);
    const module = 'embeddings.patch_embeddings';
    const cut = patches(net, config, { module, hidden, patch: 4, bias: true, size });
    const [rows, columns] = cut.grid;
    const x = layerNorm(net, 'embeddings.layernorm', flat(net, cut.x, hidden), hidden, EPSILON);
    const last = allStages(net, config, variant, stages, { x, rows, columns, size: hidden });
    const shape = net.op('', 'Concat', [cut.batch, net.g.ints([last.rows * last.columns])], { axis: 0 });
    hiddenOutput(net, last.x, shape, last.size);
  },
});

/** ConvNextModel in transformers (modeling_convnext.py, ConvNextConfig), with a row for each place of its last map. */
export const convnext = convnextLike('convnext.', CONVNEXT);

/** ConvNextV2Model (modeling_convnextv2.py, ConvNextV2Config). */
export const convnextV2 = convnextLike('convnextv2.', {
  ...CONVNEXT,
  scale: undefined,
  middle: responseNorm,
});

/** DINOv3ConvNextModel (modeling_dinov3_convnext.py, DINOv3ConvNextConfig): the mean of all places, and then those. */
export const dinov3Convnext: Family = {
  prefixes: [''],
  marker: 'stages.0.downsample_layers.0.weight',
  build(net, config) {
    const stages = stagesOf(config);
    const [hidden] = stages.hidden;
    const epsilon = config.number('layer_norm_eps', 1e-6);
    const variant: Variant = {
      stages: 'stages',
      layer: {
        depthwise: 'depthwise_conv',
        norm: 'layer_norm',
        up: 'pointwise_conv1',
        down: 'pointwise_conv2',
      },
      scale: () => 'gamma',
      smaller: 'downsample_layers',
      epsilon: () => epsilon,
    };
    const size = preparedSize(config.path);
    const first = 'stages.0.downsample_layers';
    const cut = patches(net, config, {
      module: `${first}.0`,
      hidden,
      patch: 4,
      isFixed: true,
      bias: true,
      size,
    });
    const [rows, columns] = cut.grid;
    const x = layerNorm(net, `${first}.1`, flat(net, cut.x, hidden), hidden, epsilon);
    const last = allStages(net, config, variant, stages, { x, rows, columns, size: hidden });
    const places = shaped(net, '', last.x, -1, last.rows * last.columns, last.size);
    const mean = net.op('pool', 'ReduceMean', [places, net.g.ints([1])], { keepdims: 1 });
    const all = flat(net, net.op('', 'Concat', [mean, places], { axis: 1 }), last.size);
    const count = net.g.ints([1 + last.rows * last.columns]);
    const shape = net.op('', 'Concat', [cut.batch, count], { axis: 0 });
    hiddenOutput(net, layerNorm(net, 'layer_norm', all, last.size, epsilon), shape, last.size);
  },
};

interface Stages {
  /** Features of each stage. */
  hidden: number[];
  /** Layers of each. */
  depths: number[];
}

/** @param count their number, if it is a setting */
function stagesOf(config: Config, count?: number): Stages {
  const hidden = config.counts('hidden_sizes', TINY.hidden);
  const depths = config.counts('depths', TINY.depths);
  // transformers cannot run a model with other numbers either: its last norm has the last size.
  if (count !== undefined && count !== hidden.length) throw config.unsupported('num_stages', [hidden.length]);
  if (depths.length !== hidden.length || hidden.length > MOST_STAGES || depths.some((d) => d > MOST_LAYERS))
    throw config.unsupported('depths', [TINY.depths]);
  return { hidden, depths };
}

/** More stages than any picture has room for, and more layers than any of them has. */
const MOST_STAGES = 10;
const MOST_LAYERS = 1000;

function allStages(net: Network, config: Config, variant: Variant, stages: Stages, first: Map): Map {
  const act = activationOf(config, 'hidden_act', 'gelu');
  const scale = variant.scale?.(config);
  const epsilon = variant.epsilon(config);
  let map = first;
  stages.depths.forEach((depth, i) => {
    const at = `${variant.stages}.${i}`;
    if (i > 0) map = smaller(net, config, `${at}.${variant.smaller}`, map, stages.hidden[i], epsilon);
    for (let layer = 0; layer < depth; layer++)
      map = { ...map, x: convLayer(net, `${at}.layers.${layer}`, map, variant, { act, scale, epsilon }) };
  });
  return map;
}

const shaped = (net: Network, at: string, x: string, ...dims: number[]): string =>
  net.op(at, 'Reshape', [x, net.g.ints(dims)]);

/** A convolution, which reads (images, channels, rows, columns), of places (places, size). */
function convolved(
  net: Network,
  module: string,
  { x, rows, columns, size }: Map,
  to: number,
  options: { kernel: number; stride?: number; group?: number; pads?: readonly [0, 0, 0, 0] },
): string {
  const last = shaped(net, module, x, -1, rows, columns, size);
  const image = net.op(module, 'Transpose', [last], { perm: [0, 3, 1, 2] });
  const read = conv2d(net, module, image, { from: size, to, ...options });
  return flat(net, net.op(module, 'Transpose', [read], { perm: [0, 2, 3, 1] }), to);
}

/** Each four neighbors of a map as one place, with more features. */
function smaller(net: Network, config: Config, at: string, map: Map, to: number, epsilon: number): Map {
  const { x, rows, columns, size } = map;
  if (rows < 2 || columns < 2) throw config.unsupported('image_size', [224]);
  const normed = { ...map, x: layerNorm(net, `${at}.0`, x, size, epsilon) };
  return {
    x: convolved(net, `${at}.1`, normed, to, { kernel: 2, stride: 2, pads: [0, 0, 0, 0] }),
    rows: Math.floor(rows / 2),
    columns: Math.floor(columns / 2),
    size: to,
  };
}

/** A layer of a stage: what the neighbors of each place say, by channel, and then what its channels do. */
function convLayer(
  net: Network,
  at: string,
  map: Map,
  { layer: names, middle }: Variant,
  { act, scale, epsilon }: { act: Activation; scale?: string; epsilon: number },
): string {
  const { x, size } = map;
  const read = convolved(net, `${at}.${names.depthwise}`, map, size, { kernel: KERNEL, group: size });
  const normed = layerNorm(net, `${at}.${names.norm}`, read, size, epsilon);
  const inner = 4 * size;
  const wide = act(net, `${at}.act`, linear(net, `${at}.${names.up}`, normed, { from: size, to: inner }));
  const changed = middle?.(net, at, { ...map, x: wide, size: inner }) ?? wide;
  const made = linear(net, `${at}.${names.down}`, changed, { from: inner, to: size });
  const scaled = scale ? net.op(at, 'Mul', [made, net.weight(`${at}.${scale}`, [size])]) : made;
  return net.op(at, 'Add', [x, scaled]);
}

/** ConvNextV2GRN: each feature by its norm over a map, beside the mean of the norms of all features. */
function responseNorm(net: Network, layer: string, { x, rows, columns, size }: Map): string {
  const at = `${layer}.grn`;
  const image = shaped(net, at, x, -1, rows * columns, size);
  const norms = net.op(at, 'ReduceL2', [image, net.g.ints([1])], { keepdims: 1 });
  const mean = net.op(at, 'ReduceMean', [norms, net.g.ints([2])], { keepdims: 1 });
  const shares = net.op(at, 'Div', [norms, net.op(at, 'Add', [mean, net.float(1e-6)])]);
  const weight = (name: string) => net.weight(`${at}.${name}`, [1, 1, 1, size]);
  const [factor, bias] = ['weight', 'bias'].map((name) => shaped(net, at, weight(name), size));
  const scaled = net.op(at, 'Mul', [factor, net.op(at, 'Mul', [image, shares])]);
  return flat(net, net.op(at, 'Add', [net.op(at, 'Add', [scaled, bias]), image]), size);
}
