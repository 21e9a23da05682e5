import { outputsNamed, type Model } from '../model';
import { frozenProducts } from './frozen-products';
import { Int8Products } from './int8-products';
import { weightKey, type Int8Weight } from './weights-file';

export interface RoundingErrors {
  model: Model;
  /** By the weights of the products (`weightKey`): outputs ‖y − y′‖² / ‖y‖², one for each product y in float32 that would be y′ in int8. */
  errors: Map<string, string[]>;
}

/** A step's graph in float32 that also computes each marked product in int8, from the same factors, and compares both. */
export function roundingErrors(model: Model, weights: ReadonlyMap<string, Int8Weight>): RoundingErrors {
  const found = frozenProducts(model.graph);
  const products = new Int8Products(model, weights);
  const { g } = products;
  const errors: RoundingErrors['errors'] = new Map();
  const squares = (x: string) => g.op('ReduceSumSquare', [x], { keepdims: 0 });
  for (const node of model.graph.nodes) {
    products.keep(node);
    const product = found.get(node.outputs[0]);
    if (!product) continue;
    const [exact] = node.outputs;
    const rounded = g.fresh('rounded');
    products.emit(product, rounded);
    const error = g.op('Div', [squares(g.op('Sub', [rounded, exact])), squares(exact)]);
    const key = weightKey(product);
    errors.set(key, [...(errors.get(key) ?? []), error]);
  }
  return { model: products.finish(outputsNamed([...errors.values()].flat())), errors };
}
