import type { Model } from '../../graph/model';
import { CROP } from '../families/diffusion/unet-blocks';

/**
 * A U-Net, alone or with text encoders, whose latents all have one size: less is computed in each step, and one probe
 * finds all shapes.
 *
 * @param tokens of each prompt
 */
export function withLatentSize(model: Model, height: number, width: number, tokens?: number): Model {
  const sizes = new Map<string, number>([
    ['height', height],
    ['width', width],
    ...(tokens === undefined ? [] : [['sequence', tokens] as const]),
  ]);
  const inputs = model.graph.inputs.map((input) => ({
    ...input,
    shape: input.shape?.map((dim) => (typeof dim === 'string' ? (sizes.get(dim) ?? dim) : dim)),
  }));
  const crops = model.graph.nodes.filter((node) => node.metadata.has(CROP)).length;
  const isEven = [height, width].every((size) => size % 2 ** crops === 0);
  // A level that is halved evenly comes back with its own size: nothing is cut off.
  const nodes = model.graph.nodes.map((node) =>
    isEven && node.metadata.has(CROP)
      ? { ...node, opType: 'Identity', inputs: node.inputs.slice(0, 1) }
      : node,
  );
  return { ...model, graph: { ...model.graph, inputs, nodes } };
}
