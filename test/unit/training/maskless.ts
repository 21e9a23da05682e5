import { GraphBuilder } from '../../../src/graph/builder';
import { loadModel } from '../../../src/graph/file/load';
import { saveModel } from '../../../src/graph/file/save';
import type { Lab } from '../../cli/lab';

/**
 * Writes the lab's model without a mask input, so that its mean includes the padding.
 *
 * @returns the file's name
 */
export function withoutMask(lab: Lab): string {
  const model = loadModel(lab.path('model.onnx'));
  const { graph } = model;
  const made: typeof graph.nodes = [];
  const g = new GraphBuilder({ ...graph, nodes: made }, '/all', made);
  const shape = g.op('Shape', ['input_ids']);
  const one = g.op('Div', [shape, shape]);
  const ones = g.op('Expand', [g.op('Gather', [one, g.ints([0])]), shape]);
  made.push({
    ...made.at(-1)!,
    name: '/all/mask',
    opType: 'Identity',
    inputs: [ones],
    outputs: ['attention_mask'],
    attributes: new Map(),
  });
  const inputs = graph.inputs.filter((i) => i.name !== 'attention_mask');
  const initializers = new Map([...graph.initializers, ...g.graph.initializers]);
  const changed = { ...graph, inputs, initializers, nodes: [...made, ...graph.nodes] };
  saveModel({ ...model, graph: changed }, lab.path('maskless.onnx'));
  return 'maskless.onnx';
}
