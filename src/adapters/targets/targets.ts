import { editDistance } from '../../base/nearest';
import type { TargetSpec } from '../../experiment/methods';
import { matches, numberIn, type Pattern, requireExpression } from '../patterns/patterns';

export interface TargetMatch {
  /** Paths to adapt, in the order given. */
  matched: string[];
  /** Entries of a targetModules list that no path matched; PEFT ignores them silently. */
  unmatched: string[];
}

/** The module selection in an adapter's settings. */
export type ModuleSpec = TargetSpec & {
  rankPattern?: Record<string, number>;
  alphaPattern?: Record<string, number>;
};

/** Every regular expression in an adapter's settings, in matching order; for `matchAhead`. */
export function patternsOf(spec: ModuleSpec): Pattern[] {
  const { excludeModules, targetModules, rankPattern, alphaPattern } = spec;
  return [
    ...(typeof excludeModules === 'string' ? [whole('excludeModules', excludeModules)] : []),
    ...(typeof targetModules === 'string' && targetModules !== 'all-linear'
      ? [whole('targetModules', targetModules)]
      : []),
    ...(spec.layersToTransform ? [layerIndex(spec)] : []),
    ...Object.keys(rankPattern ?? {}).map((written) => ending('rankPattern', written)),
    ...Object.keys(alphaPattern ?? {}).map((written) => ending('alphaPattern', written)),
  ];
}

const whole = (key: string, written: string): Pattern => ({ key, written, source: `^(?:${written})$` });

const ending = (key: string, written: string): Pattern => ({
  key,
  written,
  source: `^(?:.*\\.)?(?:${written})$`,
  plain: /^[\w.-]+$/.test(written),
});

/** The layer's index is the number after a container's name: `encoder.layer.3.attention` has index 3. */
const layerIndex = ({ layersPattern: written = '[^.]*' }: TargetSpec): Pattern => ({
  key: 'layersPattern',
  written,
  source: `^(?:.*\\.)?${written}\\.(\\d+)\\.`,
  number: true,
});

/**
 * The module paths that an adapter applies to, by HF PEFT's rules (peft/tuners/tuners_utils.py).
 *
 * @throws AuroraError 'targets' for an invalid regular expression, and for one that takes too long
 */
export function matchTargets(
  paths: readonly string[],
  spec: TargetSpec,
  outputLayers: readonly string[] = [],
): TargetMatch {
  const excluded =
    spec.excludeModules === undefined ? () => false : matcher(spec.excludeModules, 'excludeModules', paths);
  const allLinear = spec.targetModules === 'all-linear';
  const left = new Set(outputLayers);
  const wanted = allLinear
    ? (p: string) => !left.has(p)
    : matcher(spec.targetModules, 'targetModules', paths);
  const matched = paths.filter((p) => !excluded(p) && wanted(p) && layerWanted(p, spec, paths));
  const entries = Array.isArray(spec.targetModules) ? spec.targetModules : [];
  const names = new Set(matched.flatMap(entriesFor));
  return { matched, unmatched: entries.filter((t) => !names.has(t)) };
}

/** Every entry of a list that matches a path: the path, and the part after each of its dots. */
export function entriesFor(path: string): string[] {
  const entries = [path];
  for (let at = path.indexOf('.'); at >= 0; at = path.indexOf('.', at + 1)) entries.push(path.slice(at + 1));
  return entries;
}

function matcher(
  targets: string | string[],
  key: string,
  paths: readonly string[],
): (path: string) => boolean {
  if (Array.isArray(targets)) {
    const names = new Set(targets);
    return (path) => entriesFor(path).some((entry) => names.has(entry));
  }
  const pattern = whole(key, targets);
  requireExpression(pattern);
  return (path) => matches(pattern, path, paths);
}

function layerWanted(path: string, spec: TargetSpec, paths: readonly string[]): boolean {
  if (!spec.layersToTransform) return true;
  const index = numberIn(layerIndex(spec), path, paths);
  return index !== undefined && spec.layersToTransform.includes(index);
}

/**
 * The value for a module in rankPattern or alphaPattern: the first match wins. Throws like matchTargets.
 *
 * @param paths of all modules that will be queried: they share the time limit
 */
export function fromPattern(
  path: string,
  pattern: Record<string, number> | undefined,
  otherwise: number,
  key: 'rankPattern' | 'alphaPattern',
  paths: readonly string[] = [path],
): number {
  for (const [written, value] of Object.entries(pattern ?? {}))
    if (matches(ending(key, written), path, paths)) return value;
  return otherwise;
}

const LONGEST = 200;

/** The module paths closest to the requested one, for the error message. */
export function nearestPaths(text: string, paths: readonly string[], count = 3): string[] {
  // An expression may be longer than any path, and the comparison takes time in the product of both lengths.
  const wanted = text.slice(0, LONGEST);
  const last = (p: string) => p.split('.').slice(-wanted.split('.').length).join('.');
  // Hundreds of layers share a handful of endings.
  const known = new Map<string, number>();
  const distance = (end: string) => {
    const d = known.get(end) ?? editDistance(wanted.toLowerCase(), end.toLowerCase());
    known.set(end, d);
    return d;
  };
  const scored = paths.map((p) => ({ p, d: distance(last(p)) }));
  return scored
    .sort((a, b) => a.d - b.d)
    .slice(0, count)
    .map((s) => s.p);
}

/** A path as a regular expression for targets and patterns. */
export const exactly = (path: string): string => path.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
