import { hasSigma, medians, outsideShare, shapeOf } from '../../adapters/activations/curves';
import type { LayerAdapter } from '../../adapters/targets/select';
import { isNonlinear } from '../../experiment/methods';
import type { LayerSnapshot } from '../../protocol/activations';
import type { Finding } from './alarm-rules';

/**
 * Share of a layer's z for which σ is flat. Good runs at a high learning rate use σ as a switch, which is flat for most
 * of z; from here on it passes on a constant.
 */
const SATURATED = 0.95;
/** Share of the layers: one or two saturated ones occur in good runs. */
const MOST_LAYERS = 0.5;
/** Share of z over all layers: good runs at a rate of 3e-2 have up to 86% outside; at this, the spline is unused. */
const OUTSIDE = 0.95;

/** The facts of a snapshot about all layers together, as shares of 1. */
export interface ActivationShares {
  /** The share of layers whose σ is saturated. */
  saturated: number;
  /** The share of z outside the spline's support; undefined without a spline. */
  outside?: number;
}

/** @returns undefined if no layer has a σ */
export function sharesOf(
  snapshot: readonly LayerSnapshot[],
  adapters: readonly LayerAdapter[],
): ActivationShares | undefined {
  const specs = new Map(adapters.map(({ layer, spec }) => [layer.path, spec]));
  const layers = snapshot.flatMap((layer) => {
    const spec = specs.get(layer.path);
    return spec && isNonlinear(spec) && hasSigma(layer) ? [{ layer, spec }] : [];
  });
  if (layers.length === 0) return undefined;
  const saturated = layers.filter(({ layer, spec }) => {
    const rest = medians(layer);
    const lines = rest.map((_, i) => ({ output: i, input: i, rest }));
    return shapeOf(layer, layer, spec, lines).saturation >= SATURATED;
  });
  const outside = layers.flatMap(({ layer, spec }) => (spec.learnable ? [outsideShare(layer, spec)] : []));
  return {
    saturated: saturated.length / layers.length,
    ...(outside.length > 0 && { outside: outside.reduce((a, b) => a + b, 0) / outside.length }),
  };
}

/** Judges a snapshot of the dynamic form: σ of the static form is applied to other values. */
export function observed(step: number, { saturated, outside }: ActivationShares): Finding[] {
  const found: Finding[] = [];
  const at = { step, since: Math.max(0, step - 1) };
  if (saturated > MOST_LAYERS)
    found.push({ alarm: 'saturation', ...at, value: saturated, threshold: MOST_LAYERS });
  if (outside !== undefined && outside > OUTSIDE)
    found.push({ alarm: 'outside-support', ...at, value: outside, threshold: OUTSIDE });
  return found;
}
