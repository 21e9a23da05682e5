import { splitsWeight, type StartingSpec, type TrainedSpec } from '../../experiment/methods';
import type { NamedLayer, LayerAdapter } from '../targets/select';
import type { Values } from '../methods/method';
import { wholePair } from '../methods/low-rank';
import { methodOf } from '../methods/registry';

/**
 * The settings of the LoRA on the original weight that equals one that was split off it: twice the rank and, for the
 * same scale, twice the alpha, or √2 times with rsLoRA. As PEFT's save_pretrained converts one with
 * path_initial_model_for_weight_conversion (peft_model.py), which refuses patterns together with rsLoRA.
 */
export function plainSpec<S extends TrainedSpec>(spec: S): S {
  if (!splitsWeight(spec)) return spec;
  const { rank, alpha, rankPattern, alphaPattern, useRslora } = spec as StartingSpec;
  const byAlpha = useRslora ? Math.SQRT2 : 2;
  const plain: Partial<StartingSpec> = {
    ...(spec as StartingSpec),
    initialization: 'kaiming-uniform',
    rank: 2 * rank,
    alpha: byAlpha * alpha,
    ...(rankPattern && { rankPattern: scaled(rankPattern, 2) }),
    ...(alphaPattern && { alphaPattern: scaled(alphaPattern, byAlpha) }),
  };
  delete plain.cordaMethod;
  delete plain.cordaSamples;
  return plain as S;
}

const scaled = (pattern: Record<string, number>, by: number): Record<string, number> =>
  Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, by * value]));

/** The adapter with `plainSpec`'s settings; its values are `plainValues`. */
export function plainAdapter<L extends NamedLayer>(adapter: LayerAdapter<L>): LayerAdapter<L> {
  if (!splitsWeight(adapter.spec)) return adapter;
  const on = { ...adapter, spec: plainSpec(adapter.spec) };
  return { ...on, tensors: methodOf(on.spec).tensors(on) };
}

/** The values of `plainAdapter` by their short names: A is [A; A0] and B is [B, −B0]. */
export function plainValues({ layer, spec }: LayerAdapter<NamedLayer>, values: Values): Values {
  if (!splitsWeight(spec)) return values;
  const plain: Values = { ...values, ...wholePair(values, layer) };
  delete plain.A0;
  delete plain.B0;
  return plain;
}

/** The values that `plainValues` were made from. */
export function splitValues({ layer, spec }: LayerAdapter<NamedLayer>, plain: Values): Values {
  if (!splitsWeight(spec)) return plain;
  const { outFeatures } = layer;
  const { A, B } = plain;
  const rank = B.length / outFeatures / 2;
  const half = (first: number, sign: number) =>
    Float32Array.from({ length: B.length / 2 }, (_, i) => {
      const [o, k] = [Math.floor(i / rank), i % rank];
      return sign * B[2 * o * rank + first + k];
    });
  const rows = A.length / 2;
  return { ...plain, A: A.slice(0, rows), A0: A.slice(rows), B: half(0, 1), B0: half(rank, -1) };
}
