import { attrFloat, attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { Graph, Model, Node } from '../model';
import type { ColumnWeight } from '../quantized/columns';
import { prune } from '../reads';
import { columnWeights, LEAST_WIDTH } from './frozen-products';
import { RowQuantizer } from './row-quantizer';

/**
 * A forward graph whose products with weights in int8 columns multiply the integers instead of widening them, which takes several
 * times as long. Each row of the other factor is two integers of 8 bits for each number, so that it is off by at most 1.6e-5 of its
 * largest magnitude (6.3e-5 with 7 bits): the weights were rounded to 4e-3 of theirs. The model itself if it has no such weights.
 *
 * @param largest magnitude of an integer of the rows
 */
export function columnProducts(model: Model, largest: number): Model {
  const { graph } = model;
  const weights = columnWeights(graph);
  if (weights.size === 0) return model;
  const nodes: Node[] = [];
  const result: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const digits = new Digits(new GraphBuilder({ ...result, nodes: graph.nodes }, '/columns', nodes), largest);
  for (const node of graph.nodes) {
    const weight = weights.get(node.inputs[1]);
    if (weight && isProduct(node) && Math.min(...weight.values.dims) >= LEAST_WIDTH)
      digits.product(node, weight);
    else nodes.push(node);
  }
  const opsets = new Map(model.opsets).set('com.microsoft', 1);
  return { ...model, opsets, graph: prune(result) };
}

/** x · W, and at most a bias. */
const isProduct = (n: Node): boolean =>
  n.domain === '' &&
  (n.opType === 'MatMul' ||
    (n.opType === 'Gemm' &&
      ['transA', 'transB'].every((name) => attrInt(n, name, 0) === 0) &&
      ['alpha', 'beta'].every((name) => attrFloat(n, name, 1) === 1)));

/** x ≈ (first − zero point) · scale + (second − zero point) · fine. */
interface TwoDigits {
  /** The first and the second integers, along the first axis: one product reads the weight once for both. */
  both: string;
  scale: string;
  fine: string;
}

class Digits {
  private readonly rows: RowQuantizer;
  private readonly known = new Map<string, TwoDigits>();

  constructor(
    private readonly g: GraphBuilder,
    largest: number,
  ) {
    this.rows = new RowQuantizer(g, largest);
  }

  product({ inputs: [x, , bias], outputs: [y] }: Node, { values, scales }: ColumnWeight): void {
    const { g } = this;
    const { both, scale, fine } = this.of(x, values.dims[0]);
    const one = g.scalar(1, DType.float);
    const factors = [both, values.name, one, scales.name, this.rows.zeroPoint];
    const products = g.op('MatMulIntegerToFloat', factors, {}, { domain: 'com.microsoft' });
    const [first, second] = g.ops('Split', [products], { axis: 0, num_outputs: 2 }, { outputs: 2 });
    const terms = [g.op('Mul', [first, scale]), g.op('Mul', [second, fine])];
    if (!bias) g.op('Add', terms, {}, { outputs: [y] });
    else g.op('Add', [g.op('Add', terms), bias], {}, { outputs: [y] });
  }

  private of(x: string, width: number): TwoDigits {
    const digits = this.known.get(x) ?? this.emit(x, width);
    this.known.set(x, digits);
    return digits;
  }

  private emit(x: string, width: number): TwoDigits {
    const { g, rows } = this;
    const { values, scale, zero } = rows.of(x, width);
    const rounded = g.op('DequantizeLinear', [values, scale, zero], { axis: -1, block_size: width });
    // Rounding is off by half a unit at most.
    const fine = g.op('Mul', [scale, g.scalar(0.5 / rows.largest, DType.float)]);
    const rest = rows.rounded(g.op('Sub', [x, rounded]), fine, zero, width);
    return { both: g.op('Concat', [values, rest], { axis: 0 }), scale, fine };
  }
}
