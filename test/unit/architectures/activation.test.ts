import { afterAll, expect, it } from 'vitest';
import { activationOf } from '../../../src/architectures/blocks/activation';
import { Network } from '../../../src/architectures/blocks/network';
import { Config } from '../../../src/architectures/folder/config';
import { readWeights } from '../../../src/architectures/folder/weight-files';
import { Weights } from '../../../src/architectures/folder/weights';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_OPSET } from '../../../src/graph/model';
import { host, runModel } from '../graph/onnx-models';
import { Folders, safetensors } from './folders';

const folders = new Folders();
afterAll(() => folders.remove());

const X = [-11, -3, -0.7, 0.4, 2, 7, 12];
const EXACT = [0, -0.0040496941, -0.16937456, 0.2621687, 1.9544997, 7, 12];
const TANH = [0, -0.0036373921, -0.16942987, 0.26216117, 1.9545977, 7, 12];
const SILU = [-0.00018371564, -0.14227762, -0.23226856, 0.23947506, 1.7615942, 6.9936226, 11.999926];

/** From PyTorch 2.6, in float64. */
const VALUES: Record<string, number[]> = {
  gelu: EXACT,
  gelu_python: EXACT,
  gelu_10: [...EXACT.slice(0, -1), 10],
  gelu_accurate: TANH,
  gelu_fast: TANH,
  gelu_new: TANH,
  gelu_python_tanh: TANH,
  gelu_pytorch_tanh: TANH,
  laplace: [0, 0, 3.0494195e-7, 0.13815078, 0.99999771, 1, 1],
  leaky_relu: [-0.11, -0.03, -0.007, 0.4, 2, 7, 12],
  linear: X,
  mish: [-0.00018371717, -0.14564746, -0.26787023, 0.28903053, 1.943959, 6.9999884, 12],
  quick_gelu: [-8.1382568e-8, -0.01807131, -0.16310605, 0.26556689, 1.9356586, 6.9999531, 12],
  relu: [0, 0, 0, 0.4, 2, 7, 12],
  relu2: [0, 0, 0, 0.16, 4, 49, 144],
  relu6: [0, 0, 0, 0.4, 2, 6, 6],
  sigmoid: [1.6701422e-5, 0.047425873, 0.33181223, 0.59868766, 0.88079708, 0.99908895, 0.99999386],
  silu: SILU,
  swish: SILU,
  tanh: [-1, -0.99505475, -0.60436778, 0.37994896, 0.96402758, 0.99999834, 1],
};

it('activations have the values of PyTorch, by the names of transformers', async () => {
  const folder = folders.make({ 'model.safetensors': safetensors({ w: { dims: [1] } }) });
  const net = new Network(new Weights(readWeights(folder), folder, [], 'w'));
  const x = net.g.addInput('x', DType.float, [X.length]);
  for (const name of Object.keys(VALUES)) {
    const act = activationOf(new Config({ hidden_act: name }, 'config.json'), 'hidden_act', 'gelu');
    net.output(name, act(net, name, x), [X.length]);
  }
  const opsets = new Map([['', INTERNAL_OPSET]]);
  const model = { irVersion: 9, producer: '', opsets, graph: net.graph, metadata: net.metadata };
  const out = await runModel(model, { x: host([X.length], X, DType.float) });
  for (const [name, wanted] of Object.entries(VALUES)) {
    const got = Array.from(out[name].data as Float32Array);
    got.forEach((v, i) => expect(v, `${name}(${X[i]})`).toBeCloseTo(wanted[i], 5));
  }
});

it('an activation with trainable weights is refused, with the list of the others', () => {
  const config = new Config({ hidden_act: 'prelu' }, 'config.json');
  expect(() => activationOf(config, 'hidden_act', 'gelu')).toThrow(/hidden_act is "prelu"/);
});
