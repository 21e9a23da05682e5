import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { conv1d } from '../../../src/architectures/blocks/layers';
import { Network } from '../../../src/architectures/blocks/network';
import { convertWeights } from '../../../src/architectures/folder/converted';
import { withPacked } from '../../../src/architectures/folder/few-bits/packed-weights';
import { readWeights } from '../../../src/architectures/folder/weight-files';
import { Weights } from '../../../src/architectures/folder/weights';
import { openForward } from '../../../src/engine/open-task';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { modelOf, symmetric, generator } from '../autodiff/check';
import { mxfp4, writeTensors } from '../../fixtures/few-bits/layouts.mjs';
import { scratchFolder } from '../../scratch';

const root = scratchFolder('experts');
const [EXPERTS, IN, OUT] = [3, 64, 10];
const NAME = 'mlp.experts.gate_up_proj';

/** Experts as gpt-oss has them. */
function experts() {
  const random = generator(4);
  const sizes = Array.from({ length: (EXPERTS * IN * OUT) / 32 }, () => 2 ** (-12 * random()));
  const values = Array.from({ length: EXPERTS * IN * OUT }, (_, i) => sizes[i >> 5] * symmetric(random));
  const { dequantized, tensors } = mxfp4(values, [EXPERTS, OUT, IN]);
  const folder = mkdtempSync(join(root, 'folder-'));
  const file = join(folder, 'model.safetensors');
  writeTensors(file, {
    'model.norm.weight': { dtype: 'F32', dims: [1], bytes: Buffer.alloc(4) },
    ...Object.fromEntries(Object.entries(tensors).map(([ending, t]) => [`model.${NAME}${ending}`, t])),
  });
  const stored = withPacked(readWeights(folder), { method: 'mxfp4' });
  const weights = new Weights(stored, folder, ['model.'], 'norm.weight');
  return { weights, dequantized };
}

async function run(net: Network, y: string, x: Float32Array, dims: number[]): Promise<Float32Array> {
  convertWeights(net.weights.toUnpack(), join(root, 'cache'));
  net.output('y', y, ['a', 'b', 'c']);
  const model = {
    ...modelOf(net.graph),
    opsets: new Map([
      ['', 21],
      ['com.microsoft', 1],
    ]),
  };
  const folder = mkdtempSync(join(root, 'run-'));
  const session = await openForward(model, ['y'], folder);
  const found = await session.run({ x: { dtype: DType.float, dims, data: x } });
  await session.dispose();
  return found.y.data as Float32Array;
}

it('experts in MXFP4 have exactly the values that transformers unpacks, turned to (experts, in, out)', async () => {
  const { weights, dequantized } = experts();
  expect(weights.dims(NAME)).toEqual([EXPERTS, IN, OUT]);
  const net = new Network(weights);
  net.g.addInput('x', DType.float, [1]);
  const values = net.weight(NAME, [EXPERTS, IN, OUT]);
  const found = await run(net, net.op('', 'Mul', [values, 'x']), Float32Array.of(1), [1]);
  expect(new Set(dequantized).size).toBeGreaterThan(50);
  expect([...found]).toEqual(dequantized.map((v) => v + 0));
});

it('an expert of stacked weights in MXFP4 is a linear layer under its own path, from the same bytes', async () => {
  const { weights, dequantized } = experts();
  const net = new Network(weights);
  net.g.addInput('x', DType.float, ['rows', IN]);
  const path = 'mlp.experts.1.gate_up_proj';
  expect(weights.dividePacked(`${path}.weight`, { name: NAME, dims: [EXPERTS, IN, OUT] }, 1)).toBe(true);
  const y = conv1d(net, path, 'x', { from: IN, to: OUT, bias: false });
  const x = Float32Array.from({ length: 2 * IN }, (_, i) => Math.sin(i));
  const found = await run(net, y, x, [2, IN]);
  const [layer] = findLinearLayers(net.graph);
  expect(layer).toMatchObject({ path, inFeatures: IN, outFeatures: OUT });
  const of = (i: number, o: number) => dequantized[(IN + i) * OUT + o];
  expect([...layer.dequantize!()]).toEqual(
    Array.from({ length: OUT * IN }, (_, at) => of(at % IN, Math.floor(at / IN)) + 0),
  );
  for (let r = 0; r < 2; r++)
    for (let o = 0; o < OUT; o++) {
      const wanted = Array.from({ length: IN }, (_, i) => x[r * IN + i] * of(i, o)).reduce((a, b) => a + b);
      expect(found[r * OUT + o]).toBeCloseTo(wanted, 4);
    }
});
