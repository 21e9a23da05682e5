import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { type Graph, type Node, outputsNamed } from '../model';
import { looksUp } from '../quantized/lookup';
import { prune, readersOf } from '../reads';
import type { TensorInfos } from '../tensor-infos';

/**
 * A new input, float32 (batch, sequence): for each token, the position in its row at which its document begins. Padding
 * counts to the last document of its row, so that each token has one to attend to.
 */
export const DOCUMENTS = 'aurora.documents';

/**
 * Far below any score, and added to the lowest float32 without becoming infinite, which shaders need not support. A
 * float16 may become infinite: no row is masked as a whole.
 */
const masked = (dtype: number): number => (dtype === DType.float16 ? -3e4 : -1e30);

/**
 * A copy of a graph in which tokens attend to their own document only, and learned positions are counted from its
 * beginning. For rows of one document, the same numbers.
 *
 * @param infos shapes of the graph's tensors
 */
export function keepDocumentsApart(graph: Graph, infos: TensorInfos, places: DocumentPlaces): Graph {
  const inputs = [...graph.inputs];
  const copy = { ...graph, inputs, initializers: new Map(graph.initializers) };
  const nodes: Node[] = [];
  const g = new GraphBuilder(copy, '/documents', nodes);
  const documents = g.addInput(DOCUMENTS, DType.float, infos.get(IDS)!.shape);
  const [attentions, positions] = [new Set(places.attentions), new Set(places.positions)];
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((y) => [y, node] as const)));
  const apart = new Separation(g, infos, producers, documents);
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    if (attentions.has(output)) nodes.push({ ...node, inputs: [apart.scores(node.inputs[0])] });
    else if (positions.has(output)) {
      const [table, index] = node.inputs as [string, string];
      nodes.push({ ...node, inputs: [table, apart.positions(index)] });
    } else nodes.push(node);
  }
  return { ...copy, nodes };
}

class Separation {
  private readonly made = new Map<string, string>();

  constructor(
    private readonly g: GraphBuilder,
    private readonly infos: TensorInfos,
    private readonly producers: ReadonlyMap<string, Node>,
    private readonly documents: string,
  ) {}

  /** Scores of an attention, (…, sequence, sequence), with those between documents masked. */
  scores(scores: string): string {
    const { g } = this;
    const { dtype, shape } = this.infos.get(scores)!;
    const mask = this.addedMask(scores);
    if (mask)
      return g.op('Add', [mask.scores, this.once(`mask ${mask.mask}`, () => this.withMask(mask.mask))]);
    if (shape[0] === this.infos.get(IDS)!.shape[0])
      return g.op('Add', [scores, this.bias(dtype, shape.length)]);
    // Batch and heads are one axis.
    const bias = this.bias(dtype, 4);
    const four = this.once('shape', () => {
      const size = g.op('Shape', [bias]);
      const cut = (from: number, to: number) => g.op('Slice', [size, g.ints([from]), g.ints([to])]);
      return g.op('Concat', [cut(0, 1), g.ints([-1]), cut(2, 4)], { axis: 0 });
    });
    const apart = g.op('Add', [g.op('Reshape', [scores, four]), bias]);
    return g.op('Reshape', [apart, g.op('Shape', [scores])]);
  }

  /** Places in a row, (…, sequence), as places in their documents, (batch, sequence). */
  positions(index: string): string {
    const { g } = this;
    const { dtype } = this.infos.get(index)!;
    const begin = this.once(`begin ${dtype}`, () => g.op('Cast', [this.documents], { to: dtype }));
    // A model may count padding as 0, where its document is far behind.
    return g.op('Max', [g.op('Sub', [index, begin]), g.scalar(0, dtype)]);
  }

  /** If scores are the sum of others and a mask that all heads share: one changed mask serves all layers. */
  private addedMask(scores: string): { scores: string; mask: string } | undefined {
    const node = this.producers.get(scores);
    const rank = this.infos.get(scores)!.shape.length;
    if (node?.opType !== 'Add' || rank !== 4) return undefined;
    const isFull = (x: string) => this.infos.get(x)!.shape.join() === this.infos.get(scores)!.shape.join();
    const [a, b] = node.inputs as [string, string];
    const [full, other] = isFull(a) ? [a, b] : [b, a];
    const shape = this.infos.get(other)!.shape;
    return isFull(full) && shape.length === 4 && shape[1] === 1 ? { scores: full, mask: other } : undefined;
  }

  private withMask(mask: string): string {
    return this.g.op('Add', [mask, this.bias(this.infos.get(mask)!.dtype, 4)]);
  }

  /** (batch, 1 …, sequence, sequence): 0 within a document, and otherwise far below any score. */
  private bias(dtype: number, rank: number): string {
    const { g, documents } = this;
    return this.once(`bias ${dtype} ${rank}`, () => {
      const [rows, columns] = [2, 1].map((axis) => g.op('Unsqueeze', [documents, g.ints([axis])]));
      const same = g.op('Equal', [rows, columns]);
      const bias = g.op('Where', [same, g.scalar(0, dtype), g.scalar(masked(dtype), dtype)]);
      if (rank === 3) return bias;
      return g.op('Unsqueeze', [bias, g.ints(Array.from({ length: rank - 3 }, (_, i) => 1 + i))]);
    });
  }

  private once(key: string, make: () => string): string {
    const known = this.made.get(key) ?? make();
    this.made.set(key, known);
    return known;
  }
}

/** The places where a language model mixes the tokens of a row, and where it looks up their positions. */
export interface DocumentPlaces {
  /** Outputs of the Softmax of each attention. */
  attentions: string[];
  /** Outputs of each Gather from a table of learned positions that the model counts itself. */
  positions: string[];
}

const IDS = 'input_ids';
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
