import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { loadModel } from '../../../../src/graph/file/load';
import { elementCount } from '../../../../src/graph/model';
import { prepareModel } from '../../../../src/graph/prepare';
import { isUsedIn, pathOfScopes } from '../../../../src/graph/layers/module-path';
import { tensorOf } from '../../../../src/graph/values';
import { emptyGraph } from '../../autodiff/check';

const FOLDER = join(import.meta.dirname, '../../../fixtures/torchvision');
const modules = JSON.parse(readFileSync(join(FOLDER, 'modules.json'), 'utf8')) as Record<string, string[]>;
const layersOf = (name: string) =>
  findLinearLayers(prepareModel(loadModel(join(FOLDER, `${name}.onnx`))).graph);

describe('module paths of a classic export', () => {
  it.each(Object.keys(modules))("match named_modules() for the fixture '%s'", (name) => {
    expect(layersOf(name).map((l) => l.path).sort()).toEqual(modules[name].toSorted()); // prettier-ignore
  });

  it.each([
    [['features', 'features.1', 'features.1.0', 'attn'], 'features.1.0.attn'],
    [['encoder', 'layer.0', 'attention', 'self', 'query'], 'encoder.layer.0.attention.self.query'],
    [['attention', 'attention', 'query'], 'attention.attention.query'],
    [['mlp', 'mlp.0_1'], 'mlp.0_1'],
    [['layers.0', 'layers.0'], 'layers.0.layers.0'],
    [['0', '0.1', 'fc', 'fc.2'], '0.1.fc.2'],
  ])('join the scopes %j to %s', (scopes, path) => {
    expect(pathOfScopes(scopes, () => false)).toBe(path);
  });

  it('use a parameter to distinguish a list in a module of the same name from a Sequential', () => {
    const scopes = ['mlp', 'mlp.0'];
    expect(pathOfScopes(scopes, (p) => p === 'mlp.mlp')).toBe('mlp.mlp.0');
    expect(pathOfScopes(scopes, (p) => p === 'mlp')).toBe('mlp.0');
    expect(pathOfScopes(scopes, () => true)).toBe('mlp.0');
  });

  it('ignore a bias that an optimizer took from another module', () => {
    const scopes = ['features', 'features.1', 'features.1.1', 'mlp', 'mlp.0'];
    expect(isUsedIn('features.1.1.mlp.0', scopes)).toBe(true);
    expect(isUsedIn('features.1.0.mlp.0', scopes)).toBe(false);
    expect(isUsedIn('features.0.0', scopes)).toBe(false);
  });
});

it.each([
  ['MatMul', ['weight'], []],
  ['MatMulNBits', ['qweight', 'scales'], []],
  ['MatMul', ['weight_Q4', 'weight_Q4_scales'], ['MatMul_Q4']],
])(
  "the model builder of ONNX Runtime GenAI names a module's weight after its operator: %s, %j",
  (op, parts, [name = op]) => {
    const module = 'model.layers.0.attn.qkv_proj';
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    const isFew = parts.length > 1;
    const weights = parts.map((part, i) => {
      const dims = isFew ? (i === 0 ? [4, 1, 8] : [4, 1]) : [16, 4];
      const values = new Array<number>(elementCount(dims)).fill(1);
      const dtype = isFew && i === 0 ? DType.uint8 : DType.float;
      return g.addInitializer(tensorOf(`${module}.${op}.${part}`, dtype, dims, values));
    });
    const product = g.op(
      isFew ? 'MatMulNBits' : 'MatMul',
      [g.addInput('x', DType.float, ['rows', 16]), ...weights],
      isFew ? { K: 16, N: 4, bits: 4, block_size: 16 } : {},
      { name: `/${module.replace(/\.(?!\d)/g, '/')}/${name}`, domain: isFew ? 'com.microsoft' : '' },
    );
    const bias = g.addInitializer(tensorOf(`${module}.Add.bias`, DType.float, [4], [1, 2, 3, 4]));
    g.op('Add', [product, bias], {}, { outputs: ['y'] });
    g.addOutput('y');
    expect(findLinearLayers(graph)).toMatchObject([{ path: module, hasBias: true }]);
  },
);
