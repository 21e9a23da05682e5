import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import type { TensorInfos } from '../infos';
import { outputsNamed, type Graph, type Node } from '../model';
import { prune } from '../prune';
import { looksUp } from '../quantized/lookup';
import { readersOf } from '../reads';

/** The places where a language model mixes the tokens of a row, and where it looks up their positions. */
export interface DocumentPlaces {
  /** Outputs of the Softmax of each attention. */
  attentions: string[];
  /** Outputs of each Gather from a table of learned positions that the model counts itself. */
  positions: string[];
}

export const IDS = 'input_ids';
const POSITIONS = 'position_ids';

/** Operators that may lie between the weights of an attention and their product with the values. */
const AFTER_SOFTMAX = ['Cast', 'Dropout', 'Identity', 'IsNaN', 'Reshape', 'Where'];
/** Operators that may lie between learned positions and their sum with the embedded tokens. */
const AFTER_POSITIONS = ['Cast', 'Dropout', 'Identity'];
/** Their result depends only on a tensor's size. */
const SHAPE_ONLY = ['Shape', 'Size'];

/**
 * Finds the places that `keepDocumentsApart` changes. Each Softmax along a row must be an attention's: over the last of
 * two axes that are the sequence, and multiplied with the values. Anything else that mixes tokens, such as a
 * convolution, is not seen here: only numbers show it.
 *
 * @param infos shapes of the tensors, from a probe
 * @param output the output of the model that is computed
 * @throws AuroraError 'model' if an attention cannot be recognized, or there is none
 */
export function documentPlaces(
  graph: Graph,
  infos: TensorInfos,
  output: string,
  path: string,
): DocumentPlaces {
  const { nodes } = prune({ ...graph, outputs: outputsNamed([output]) });
  const readers = readersOf({ ...graph, nodes });
  const [, sequence] = infos.get(IDS)?.shape ?? [];
  const attentions: string[] = [];
  for (const node of nodes) {
    if (/Attention/.test(node.opType)) throw unrecognized(path, node, 'is one fused operator');
    if (node.opType !== 'Softmax') continue;
    const shape = infos.get(node.inputs[0])?.shape ?? [];
    const axis = attrInt(node, 'axis', -1);
    const last = axis === -1 || axis === shape.length - 1;
    if (typeof shape.at(axis) === 'number') continue;
    const square = last && shape.length > 2 && shape.at(-1) === sequence && shape.at(-2) === sequence;
    if (!square) throw unrecognized(path, node, `has the shape [${shape.join(', ')}]`);
    if (!leadsTo(node.outputs[0], readers, AFTER_SOFTMAX, isProduct))
      throw unrecognized(path, node, 'is not multiplied with values');
    attentions.push(node.outputs[0]);
  }
  if (attentions.length === 0)
    throw new AuroraError('model', `${path}: no attention was found, which training.packing needs.`, HINT);
  return { attentions, positions: learnedPositions(graph, nodes, infos, readers) };
}

const HINT =
  'Set training.packing to false, or export the model with its attention written out (attn_implementation="eager").';

const unrecognized = (path: string, { opType, name }: Node, what: string): AuroraError =>
  new AuroraError(
    'model',
    `${path}: training.packing must keep texts apart in each attention, but the ${opType} "${name}" ${what}.`,
    HINT,
  );

const isProduct = ({ opType, inputs }: Node, tensor: string): boolean =>
  (opType === 'MatMul' || opType === 'Einsum') && inputs[0] === tensor;

function leadsTo(
  tensor: string,
  readers: ReadonlyMap<string, readonly Node[]>,
  through: readonly string[],
  found: (node: Node, tensor: string) => boolean,
): boolean {
  return (readers.get(tensor) ?? []).some(
    (node) =>
      found(node, tensor) ||
      (through.includes(node.opType) && leadsTo(node.outputs[0], readers, through, found)),
  );
}

/**
 * Rows of a table that are added to the embedded tokens, by places that the model counts itself: from the length of the
 * input, or by adding up a mask. Tables of rotary positions are multiplied instead, and encode only how far tokens are
 * apart.
 */
function learnedPositions(
  graph: Graph,
  nodes: readonly Node[],
  infos: TensorInfos,
  readers: ReadonlyMap<string, readonly Node[]>,
): string[] {
  const given = new Set([IDS, POSITIONS, 'token_type_ids']);
  const found: string[] = [];
  for (const node of nodes) {
    const { opType, inputs, outputs } = node;
    if (SHAPE_ONLY.includes(opType)) continue;
    // A count of tokens is a place, whatever is counted.
    if (opType !== 'CumSum' && inputs.some((x) => given.has(x))) outputs.forEach((y) => given.add(y));
    const [table, index] = inputs as [string, string];
    if (!looksUp(node) || graph.initializers.get(table)?.dims.length !== 2 || given.has(index)) continue;
    const places = infos.get(index)?.shape ?? [];
    if (places.at(-1) !== infos.get(IDS)?.shape[1]) continue;
    if (leadsTo(outputs[0], readers, AFTER_POSITIONS, ({ opType: op }) => op === 'Add'))
      found.push(outputs[0]);
  }
  return found;
}
