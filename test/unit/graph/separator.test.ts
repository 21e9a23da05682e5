import { describe, expect, it } from 'vitest';
import type { Graph, Node } from '../../../src/graph/model';
import { separator } from '../../../src/graph/separator';

/** Nodes as "a, b -> c: Op". */
function graphOf(...lines: string[]): Graph {
  const nodes = lines.map((line): Node => {
    const [, inputs, output, opType] = /^(.*) -> (\w+)(?:: (\w+))?$/.exec(line)!;
    const names = inputs.split(', ');
    return {
      opType: opType ?? 'Op',
      domain: '',
      name: output,
      inputs: names,
      outputs: [output],
      attributes: new Map(),
      metadata: new Map(),
    };
  });
  return { name: '', nodes, initializers: new Map(), inputs: [], outputs: [] };
}

const find = (graph: Graph, moving: string[], accept: (x: string) => boolean = () => true) =>
  separator(graph, ['ids'], moving, 'out', accept);

describe('the last tensor that every path passes through', () => {
  // Two layers with residual connections; each `q` could be adapted.
  const layers = graphOf(
    'ids -> h0',
    'h0 -> q1',
    'q1, mask -> a1',
    'h0, a1 -> h1',
    'h1 -> q2',
    'q2, mask -> a2',
    'h1, a2 -> out',
  );

  it('lies below the lowest trained tensor and outside residual branches', () => {
    expect(find(layers, ['q2'])).toBe('h1');
    expect(find(layers, ['q1', 'q2'])).toBe('h0');
    expect(find(layers, ['q1'])).toBe('h0');
  });

  it('is the output if nothing is trained', () => {
    expect(find(layers, [])).toBe('out');
  });

  it('is one that the filter accepts', () => {
    expect(find(layers, ['q2'], (x) => x !== 'h1')).toBe('h0');
    expect(find(layers, ['q2'], () => false)).toBeUndefined();
  });

  it('does not exist if something reads the inputs past it', () => {
    const past = graphOf('ids -> h0', 'h0 -> q', 'ids, q -> out');
    expect(find(past, ['q'])).toBeUndefined();
    const through = graphOf('ids -> h0', 'h0 -> h1', 'h1 -> q', 'h0, q -> out');
    expect(find(through, ['q'])).toBe('h0');
  });

  it('ignores tensors that are read only for their shape', () => {
    const shaped = graphOf('ids -> h0', 'ids -> size: Shape', 'h0 -> q', 'q, size -> out: Reshape');
    expect(find(shaped, ['q'])).toBe('h0');
  });
});
