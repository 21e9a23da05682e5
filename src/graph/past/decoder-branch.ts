import type { Graph, Model, Node } from '../model';
import { USE_CACHE } from './cache-inputs';

/**
 * A decoder of a merged file, which has two: an If on `use_cache_branch` has the decoder for a text from its beginning
 * in its else branch, and that for tokens after a cache in its then branch. Their common weights are above it.
 *
 * @param after true for the decoder for tokens after a cache
 * @returns the model itself if it is not a merged file
 */
export function decoderBranch(model: Model, after: boolean): Model {
  const { graph } = model;
  const at = graph.nodes.findIndex(isChoice);
  if (at < 0) return model;
  const choice = graph.nodes[at];
  const branch = choice.attributes.get(after ? 'then_branch' : 'else_branch');
  if (branch?.type !== 'graph') return model;
  const { nodes, outputs, initializers, unknown } = branch.value;
  const renamed = outputs.flatMap(({ name }, i) => {
    const to = choice.outputs[i];
    return name === to || to === '' ? [] : [identity(name, to)];
  });
  const inlined: Graph = {
    ...graph,
    nodes: [...graph.nodes.slice(0, at), ...nodes, ...renamed, ...graph.nodes.slice(at + 1)],
    initializers: new Map([...graph.initializers, ...initializers]),
    inputs: graph.inputs.filter((i) => i.name !== USE_CACHE),
    unknown: [...(graph.unknown ?? []), ...(unknown ?? [])],
  };
  return { ...model, graph: inlined };
}

/** True if a file holds two decoders. */
export const isMerged = ({ graph }: Model): boolean => graph.nodes.some(isChoice);

const isChoice = (node: Node): boolean => node.opType === 'If' && node.inputs[0] === USE_CACHE;

const identity = (from: string, to: string): Node => ({
  opType: 'Identity',
  domain: '',
  name: to,
  inputs: [from],
  outputs: [to],
  attributes: new Map(),
  metadata: new Map(),
});
