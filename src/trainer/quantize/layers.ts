import { matchTargets } from '../../adapters/targets/targets';
import { AuroraError } from '../../base/errors';
import { attrFloat, toAttribute } from '../../graph/attributes';
import { isFloat } from '../../graph/dtype';
import { findLinearLayers, type LinearLayer } from '../../graph/layers/linear';
import { outputLayers } from '../../graph/layers/output-layers';
import { ownBias } from '../../graph/layers/weight-operands';
import type { Graph, Node } from '../../graph/model';
import type { Quantization } from '../../graph/quantized/quantize-rows';

/**
 * The layers to quantize: all linear layers but the model's own output and those that share their weight with an embedding,
 * or those that `modules` names, as targetModules does.
 *
 * @throws AuroraError 'targets' if there are none, or if a named one is quantized already
 */
export function layersToQuantize(graph: Graph, modules: readonly string[]): LinearLayer[] {
  const layers = findLinearLayers(graph);
  const paths = layers.map((l) => l.path);
  const left = new Set(outputLayers(graph, layers));
  const { matched, unmatched } = matchTargets(paths, {
    targetModules: modules.length > 0 ? [...modules] : 'all-linear',
  });
  if (unmatched.length > 0)
    throw new AuroraError(
      'targets',
      `--modules: ${unmatched.join(', ')} matched no module of the model.`,
      'Run `aurora inspect MODEL` for all module paths.',
    );
  const wanted = new Set(matched);
  const chosen = layers.filter(
    (l) =>
      wanted.has(l.path) &&
      isQuantizable(l) &&
      (modules.length > 0 || (!left.has(l.path) && l.sharedWith.length === 0)),
  );
  if (chosen.length === 0)
    throw new AuroraError(
      'targets',
      'No layer of the model can be quantized: it has none with weights in floats, or all are its own output.',
      'Name layers with --modules, or quantize the original model if this one is quantized already.',
    );
  return chosen;
}

/** Whether the stored weight is of floats, and each of its nodes adds its bias unscaled. */
const isQuantizable = ({ weight, calls }: LinearLayer): boolean =>
  isFloat(weight.dtype) && calls.every(({ node }) => attrFloat(node, 'beta', 1) === 1);

/** The node with a quantized weight, under the name that ONNX Runtime's quantizer gives it. */
export function quantizedNode(
  node: Node,
  layer: LinearLayer,
  q: Quantization,
  names: readonly string[],
): Node {
  const bias = node.inputs[ownBias(node)];
  const inputs = [node.inputs[0], ...names];
  const all =
    ownBias(node) && bias ? [...inputs, ...Array<string>(5 - inputs.length).fill(''), bias] : inputs;
  return {
    ...node,
    name: `${node.name || node.outputs[0]}_Q${q.bits}`,
    opType: 'MatMulNBits',
    domain: 'com.microsoft',
    inputs: all,
    attributes: new Map(
      Object.entries({
        K: layer.inFeatures,
        N: layer.outFeatures,
        bits: q.bits,
        block_size: q.blockSize,
        accuracy_level: 0,
      }).map(([name, value]) => [name, toAttribute(value)]),
    ),
  };
}
