import { storedTensors } from '../../../src/adapters/stored-tensors';
import type { Values } from '../../../src/adapters/methods/method';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { type LayerAdapter, selectAdapters } from '../../../src/adapters/targets/select';
import { aboutMethod, type MethodName, type TrainedSpec } from '../../../src/experiment/methods';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { elementCount, INTERNAL_OPSET, type Model, type Node } from '../../../src/graph/model';
import { tensorOf } from '../../../src/graph/values';
import { defaultAdapter } from '../../../src/recipes/draft';
import { input, model, node } from '../graph/onnx-models';

/** 0, 1, … as numbers of float32 that PyTorch had too. */
export const wave = (size: number, k: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 0.7 * i + 13 * k));

/** The forms of a layer; a Gemm here halves the product. */
export const FORMS = ['MatMul', 'MatMul with bias', 'Gemm', 'Gemm with bias'] as const;
export type Form = (typeof FORMS)[number];

/** The layer `dense` on rows `x` (batch, tokens, in) or, as a Gemm, on rows (batch, in). */
export function layerModel(
  inFeatures: number,
  outFeatures: number,
  form: Form = 'MatMul',
  dtype: number = DType.float,
): Model {
  const ofLinear = wave(inFeatures * outFeatures, 0).map((v) => v / 2);
  const stored = new Float32Array(ofLinear.length);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) stored[i * outFeatures + o] = ofLinear[o * inFeatures + i];
  const isGemm = form.startsWith('Gemm');
  const hasBias = form.endsWith('bias');
  const weight = isGemm
    ? tensorOf('w', dtype, [outFeatures, inFeatures], ofLinear)
    : tensorOf('w', dtype, [inFeatures, outFeatures], stored);
  const bias = tensorOf('b', dtype, [outFeatures], wave(outFeatures, 31));
  return model({
    opset: INTERNAL_OPSET,
    inputs: [input('x', dtype, isGemm ? ['batch', inFeatures] : ['batch', 'tokens', inFeatures])],
    nodes: isGemm ? [gemm(hasBias)] : products(hasBias),
    outputs: ['y'],
    initializers: hasBias ? [weight, bias] : [weight],
  });
}

const gemm = (hasBias: boolean): Node => ({
  ...node('Gemm', hasBias ? ['x', 'w', 'b'] : ['x', 'w'], ['y'], { transB: 1, alpha: { float: 0.5 } }),
  name: '/dense/Gemm',
});

const products = (hasBias: boolean): Node[] => [
  { ...node('MatMul', ['x', 'w'], [hasBias ? 'product' : 'y']), name: '/dense/MatMul' },
  ...(hasBias ? [{ ...node('Add', ['product', 'b'], ['y']), name: '/dense/Add' }] : []),
];

export interface Adapted {
  base: Model;
  adapter: LayerAdapter;
  adapters: LayerAdapter[];
}

/** The layer with an adapter in the form that can be merged, which is that of training except where the method is nonlinear. */
export function adapted(base: Model, method: MethodName, over: object): Adapted {
  const spec = { ...defaultAdapter(method), targetModules: ['dense'], ...over } as TrainedSpec;
  const selected = selectAdapters(base.graph, findLinearLayers(base.graph), spec).adapters;
  const adapters = aboutMethod(method).nonlinear
    ? selected.map((a) => ({ ...a, form: 'static' as const }))
    : selected;
  return { base, adapter: adapters[0], adapters };
}

/** Values that PyTorch was given too: tensors in PEFT's order. Frozen ones start as they must. */
export function waves({
  adapter,
  adapters,
}: Pick<Adapted, 'adapter' | 'adapters'>): Map<string, Float32Array> {
  const values = layerValues(adapter.layer);
  const none = { uniform: () => 0, normal: () => 0 };
  const before: Values = {};
  return new Map(
    storedTensors(adapters).map(({ name, tensor }, k) => {
      const size = elementCount(tensor.dims);
      const among = { values: before, sharing: [values] };
      before[tensor.name] = tensor.frozen ? tensor.init(none, size, values, among) : wave(size, k + 1);
      return [name, before[tensor.name]];
    }),
  );
}
