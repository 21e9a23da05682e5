import type { Ia3Spec } from '../../experiment/methods';
import { matches } from '../patterns/patterns';
import { constant, type AdapterMethod, type FrozenTensor, type OnLayer } from './method';

/**
 * (IA)³ (Liu et al., arXiv 2205.05638): h = l ⊙ (W x + b), with a trained l (out) that starts at 1; on the modules of
 * `feedforwardModules` h = W (l ⊙ x) + b, with l (in). Merging scales the bias too. As in tuners/ia3/layer.py of PEFT.
 */
export const ia3: AdapterMethod<Ia3Spec> = {
  tensors: (on) => [
    {
      name: 'l',
      dims: onInputs(on) ? [1, on.layer.inFeatures] : [on.layer.outFeatures, 1],
      rankAxes: [],
      peftName: 'ia3_l',
      init: constant(1),
    },
  ],
  frozen: (on): FrozenTensor[] =>
    scalesBias(on) ? [{ name: 'before', dims: [on.layer.outFeatures], values: (base) => base.bias() }] : [],

  delta(g, { x, product }, p, on, dtype) {
    const change = g.op('Sub', [g.op('Reshape', [p.l, g.ints([-1])]), g.scalar(1, dtype)]);
    if (onInputs(on)) return { delta: product(g.op('Mul', [x, change])) };
    const output = p.before ? g.op('Add', [product(), p.before]) : product();
    return { delta: g.op('Mul', [output, change]) };
  },

  change({ l }, on, base) {
    const { inFeatures } = on.layer;
    const inputs = onInputs(on);
    const weight = Float64Array.from(
      base.weight(),
      (v, i) => v * (l[inputs ? i % inFeatures : Math.floor(i / inFeatures)] - 1),
    );
    return scalesBias(on)
      ? { weight, bias: Float64Array.from(base.bias(), (v, i) => v * (l[i] - 1)) }
      : { weight };
  },
  changesBias: (spec, layer) => scalesBias({ layer, spec }),
  neutral: ({ l }) => ({ l: new Float32Array(l.length).fill(1) }),
  flops(on) {
    const { inFeatures, outFeatures } = on.layer;
    if (!onInputs(on)) return { forward: 2 * outFeatures, backward: 2 * outFeatures };
    const product = 2 * inFeatures * outFeatures;
    return { forward: product + inFeatures, backward: product + 2 * inFeatures };
  },
  formula: () => 'out, or in where the inputs are scaled',

  peft: {
    type: 'IA3',
    loads: { since: '0.4' },
    lacks: ['bias'],
    write: ({ feedforwardModules }) => ({
      fan_in_fan_out: false,
      // PEFT requires that a list is part of target_modules, which are whole paths here; an expression is free.
      feedforward_modules: expressionOf(feedforwardModules),
      init_ia3_weights: true,
    }),
    read: (c) => ({
      method: 'ia3',
      feedforwardModules: (c.value('feedforward_modules') ?? []) as string | string[],
    }),
  },
};

/** PEFT matches a list by the ends of paths, also within a name. */
function expressionOf(modules: string | string[]): string | string[] {
  if (typeof modules === 'string' || modules.length === 0) return modules;
  return `.*(?:${modules.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')})`;
}

type Placed = Pick<OnLayer<Ia3Spec>, 'layer' | 'spec'>;

/** True for a module whose inputs are scaled. */
function onInputs({ layer: { path = '' }, spec: { feedforwardModules: modules } }: Placed): boolean {
  if (typeof modules !== 'string') return modules.some((name) => path.endsWith(name));
  return matches({ key: 'feedforwardModules', written: modules, source: `^(?:${modules})$` }, path, [path]);
}

const scalesBias = (on: Placed): boolean => on.layer.hasBias === true && !onInputs(on);
