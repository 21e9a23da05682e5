import { AuroraError } from '../../base/errors';
import type { TargetSpec } from '../../experiment/methods';
import type { LeftOut } from '../../protocol/left-out';
import { matchTargets, type TargetMatch } from './targets';

/** Layers that "all-linear" leaves out of a model, by path. */
export interface UselessLayers {
  /** Their output is the model's own. */
  outputs: readonly string[];
  /** The output that the task reads does not depend on them. */
  unreached: readonly string[];
}

export interface LayerChoice extends TargetMatch {
  /** The layers among `matched`, named by a list or an expression, that do not reach the loss. */
  unreached: string[];
  /** The layers that "all-linear" skipped, in layer order. */
  leftOut: LeftOut[];
}

/** The layers that get an adapter, and those that prevent training or were skipped. */
export function chooseLayers(
  paths: readonly string[],
  spec: TargetSpec,
  { outputs, unreached }: UselessLayers,
): LayerChoice {
  const beside = new Set(unreached);
  if (spec.targetModules !== 'all-linear') {
    const match = matchTargets(paths, spec);
    return { ...match, unreached: match.matched.filter((p) => beside.has(p)), leftOut: [] };
  }
  const { matched: all } = matchTargets(paths, spec);
  const match = matchTargets(paths, spec, [...outputs, ...unreached]);
  const kept = new Set(match.matched);
  const leftOut = all
    .filter((p) => !kept.has(p))
    .map((path): LeftOut => ({ path, why: beside.has(path) ? 'unreached' : 'output' }));
  return { ...match, unreached: [], leftOut };
}

/** The error for a list or an expression that names layers that do not reach the loss. */
export const notReached = (paths: readonly string[]): AuroraError =>
  new AuroraError(
    'targets',
    `adapter.targetModules names ${paths.length === 1 ? 'a layer that does' : `${paths.length} layers that do`} not reach the loss: ${paths.join(', ')}.`,
    `${paths.length === 1 ? 'It feeds' : 'They feed'} another output of the model. Leave ${paths.length === 1 ? 'it' : 'them'} out with adapter.excludeModules, or name that output in model.output.`,
  );
