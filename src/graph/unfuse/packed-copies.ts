import { isFileRef, type Graph, type Node, type Tensor } from '../model';
import { readersOf, readsOf } from '../reads';
import { projectionPaths } from './parts/projection-paths';
import { readTensorBytes } from '../values';
import { sameModule } from '../layers/module-path';

/** The length of a weight's beginning, which nearly always differs from that of another module. */
const BEGINNING = 4096;

/**
 * Lets all calls of a fused attention read one packed weight. ONNX Runtime's optimizer packs the projections of each call
 * for itself, so there are as many copies as calls where one module is every layer's, as in ALBERT.
 *
 * @param graph changed in place
 */
export function shareCopies(graph: Graph): void {
  const fused = graph.nodes.filter((n) => n.opType === 'Attention' && n.domain === 'com.microsoft');
  if (fused.length < 2) return;
  const constant = (name: string | undefined) => graph.initializers.get(name ?? '');
  const readers = readersOf(graph);
  const c = { source: graph.nodes, constant, readers: (name: string) => readers.get(name) ?? [] };
  const module = (node: Node) => projectionPaths(c, node)[0];
  const originals = new Map<string, Node[]>();
  const replaced = new Set<string>();
  for (const node of fused) {
    const [, weight, bias] = node.inputs;
    const [w, b] = [constant(weight), constant(bias)];
    if (!w || (bias && !b)) continue;
    const known = originals.get(`${w.dims} ${b?.dims}`) ?? [];
    originals.set(`${w.dims} ${b?.dims}`, known);
    const original = known.find(
      ({ inputs: [, ow, ob] }, i) =>
        sameModule(module(known[i]), module(node)) && isCopy(w, constant(ow)!) && isCopy(b, constant(ob)),
    );
    if (!original) {
      known.push(node);
      continue;
    }
    for (const i of [1, 2]) {
      if (node.inputs[i] && node.inputs[i] !== original.inputs[i]) replaced.add(node.inputs[i]);
      if (node.inputs[i]) node.inputs[i] = original.inputs[i];
    }
  }
  if (replaced.size === 0) return;
  const read = new Set([...graph.nodes.flatMap(readsOf), ...graph.outputs.map((o) => o.name)]);
  for (const name of replaced) if (!read.has(name)) graph.initializers.delete(name);
}

function isCopy(a: Tensor | undefined, b: Tensor | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.dtype !== b.dtype) return false;
  const equal = (x: Tensor, y: Tensor) => Buffer.from(readTensorBytes(x)).equals(readTensorBytes(y));
  return equal(beginning(a), beginning(b)) && equal(a, b);
}

function beginning(t: Tensor): Tensor {
  const { data } = t;
  return {
    ...t,
    data: isFileRef(data)
      ? { ...data, length: Math.min(BEGINNING, data.length) }
      : data.subarray(0, BEGINNING),
  };
}
