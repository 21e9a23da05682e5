import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Network } from '../../../src/architectures/blocks/network';
import { readConfig } from '../../../src/architectures/folder/config';
import { convertWeights } from '../../../src/architectures/folder/converted';
import { withPacked } from '../../../src/architectures/folder/few-bits/packed-weights';
import { quantizationOf } from '../../../src/architectures/folder/few-bits/quantization';
import { readWeights } from '../../../src/architectures/folder/weight-files';
import { Weights } from '../../../src/architectures/folder/weights';
import { openForward } from '../../../src/engine/open-task';
import { DType } from '../../../src/graph/dtype';
import { floatValues } from '../../../src/graph/values';
import { writeFolders } from '../../fixtures/few-bits/write.mjs';
import { scratchFolder } from '../../scratch';
import { modelOf } from '../autodiff/check';

const root = scratchFolder('few-bits-values');
const NAME = 'layers.1.mlp.down_proj.weight';

/** A block may cut a weight into parts, or turn it: then it reads its values. */
it.each(['gptq-4-order', 'gptq-3', 'gptq-8', 'awq', 'nf4-single', 'nf4-uneven', 'int8'])(
  'the values of a weight of %s are those before quantization, to blocks that need more than a product',
  async (layout) => {
    const folders = writeFolders(join(root, layout), layout);
    const weightsOf = (folder: string) => {
      const quantization = quantizationOf(readConfig(join(folder, 'config.json')));
      return new Weights(withPacked(readWeights(folder), quantization), folder, ['model.'], 'norm.weight');
    };
    const plain = weightsOf(folders.floats);
    const dims = plain.dims(NAME)!;
    const wanted = floatValues(plain.get(NAME, dims));
    const net = new Network(weightsOf(folders.quantized));
    expect(net.weights.dims(NAME)).toEqual(dims);
    net.g.addInput('x', DType.float, [1]);
    net.output('y', net.op('', 'Mul', [net.weight(NAME, dims), 'x']), dims);
    convertWeights(net.weights.toUnpack(), join(root, 'cache'));
    const model = { ...modelOf(net.graph), opsets: new Map([['', 21]]) };
    const session = await openForward(model, ['y'], mkdtempSync(join(root, 'run-')));
    const { y } = await session.run({ x: { dtype: DType.float, dims: [1], data: Float32Array.of(1) } });
    await session.dispose();
    const off = wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - (y.data as Float32Array)[i])), 0);
    expect(y.dims).toEqual(dims);
    expect(off).toBeLessThan(1e-6);
    expect(wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0)).toBeGreaterThan(0.1);
  },
);
