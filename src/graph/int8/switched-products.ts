import { DType } from '../dtype';
import type { Model } from '../model';
import { frozenProducts } from './frozen-products';
import { Int8Products, type ExactInputs } from './int8-products';
import { weightKey, type Int8Weight } from './weights-file';

export interface SwitchedProducts {
  model: Model;
  /** By `weightKey`: an input of the graph, a boolean that is true if the products of this weight are in int8. */
  switches: Map<string, string>;
}

/**
 * A step's graph that computes some products both in float32 and in int8, so that one session can try every choice
 * between them. All others are in int8.
 *
 * @param either their weights (`weightKey`)
 */
export function switchedProducts(
  model: Model,
  weights: ReadonlyMap<string, Int8Weight>,
  either: ReadonlySet<string>,
  exact: ExactInputs,
): SwitchedProducts {
  const found = frozenProducts(model.graph);
  const products = new Int8Products(model, weights, exact);
  const { g } = products;
  const switches = new Map<string, string>();
  for (const node of model.graph.nodes) {
    const product = found.get(node.outputs[0]);
    if (!product) {
      products.keep(node);
      continue;
    }
    const key = weightKey(product);
    const [y] = node.outputs;
    if (!either.has(key)) {
      products.emit(product, y);
      continue;
    }
    const inInt8 = switches.get(key) ?? g.addInput(g.fresh('switch'), DType.bool, []);
    switches.set(key, inInt8);
    const [exact, rounded] = [g.fresh('exact'), g.fresh('rounded')];
    products.keep({ ...node, outputs: [exact] });
    products.emit(product, rounded);
    g.op('Where', [inInt8, rounded, exact], {}, { outputs: [y], name: g.fresh('Where') });
  }
  return { model: products.finish(), switches };
}
