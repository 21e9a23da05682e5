import { Network } from '../../../src/architectures/blocks/network';
import type { Family } from '../../../src/architectures/family';
import { Config } from '../../../src/architectures/folder/config';
import type { Weights } from '../../../src/architectures/folder/weights';
import { DType } from '../../../src/graph/dtype';
import { elementCount } from '../../../src/graph/model';

/** Weights that a family reads only where they are stored. */
const STORED = new Set(['text_projection.weight', 'encoder.embed_positions.weight']);

/** The graph that a family writes for these settings, if every weight exists in the shape that it asks for. */
export function written({ build }: Family, settings: Record<string, unknown>) {
  const sizes = new Map<string, number>();
  const weights = {
    has: (name: string) => STORED.has(name),
    dims: () => undefined,
    divide: () => undefined,
    packed: () => undefined,
    requireQuantized: () => undefined,
    isOther: () => false,
    get(name: string, dims: number[]) {
      sizes.set(name, elementCount(dims));
      return { name, dtype: DType.float, dims, data: { path: '', offset: 0, length: 0 } };
    },
  } as unknown as Weights;
  const net = new Network(weights);
  build(net, new Config(settings, 'config.json'));
  const parameters = [...sizes.values()].reduce((a, b) => a + b, 0);
  return { parameters, names: [...sizes.keys()], graph: net.graph };
}
