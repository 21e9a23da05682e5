import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { TensorInfos } from '../infos';
import type { Graph, Node } from '../model';
import { IDS, type DocumentPlaces } from './document-places';

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
