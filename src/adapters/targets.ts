import { AuroraError } from '../shared/errors';
import { editDistance } from '../shared/nearest';
import type { TargetSpec } from '../shared/experiment';

export interface TargetMatch {
  /** Paths to adapt, in the order given. */
  matched: string[];
  /** Entries of a targetModules list that no path matched; PEFT passes over them in silence. */
  unmatched: string[];
}

/** Which module paths an adapter applies to, by HF PEFT's rules (peft/tuners/tuners_utils.py). */
export function matchTargets(
  paths: readonly string[],
  spec: TargetSpec,
  outputLayers: readonly string[] = [],
): TargetMatch {
  const excluded =
    spec.excludeModules === undefined ? () => false : matcher(spec.excludeModules, 'excludeModules');
  const allLinear = spec.targetModules === 'all-linear';
  const wanted = allLinear
    ? (p: string) => !outputLayers.includes(p)
    : matcher(spec.targetModules, 'targetModules');
  const matched = paths.filter((p) => !excluded(p) && wanted(p) && layerWanted(p, spec));
  const entries = Array.isArray(spec.targetModules) ? spec.targetModules : [];
  const unmatched = entries.filter((t) => !matched.some((p) => matchesEntry(p, t)));
  return { matched, unmatched };
}

const matchesEntry = (path: string, entry: string) => path === entry || path.endsWith(`.${entry}`);

function matcher(targets: string | string[], key: string): (path: string) => boolean {
  if (Array.isArray(targets)) return (path) => targets.some((t) => matchesEntry(path, t));
  const whole = regex(`^(?:${targets})$`, key);
  return (path) => whole.test(path);
}

/** The layer's index is the number after a container's name: `encoder.layer.3.attention` has index 3. */
function layerWanted(path: string, spec: TargetSpec): boolean {
  if (!spec.layersToTransform) return true;
  const container = spec.layersPattern ?? '[^.]*';
  const index = regex(`^(?:.*\\.)?${container}\\.(\\d+)\\.`, 'layersPattern').exec(path)?.[1];
  return index !== undefined && spec.layersToTransform.includes(Number(index));
}

/** The value for a module in rankPattern or alphaPattern: first match wins. */
export function fromPattern(
  path: string,
  pattern: Record<string, number> | undefined,
  otherwise: number,
): number {
  for (const [key, value] of Object.entries(pattern ?? {}))
    if (regex(`^(?:.*\\.)?(?:${key})$`, 'rankPattern or alphaPattern').test(path)) return value;
  return otherwise;
}

function regex(source: string, key: string): RegExp {
  try {
    return new RegExp(source);
  } catch (e) {
    throw new AuroraError(
      'targets',
      `adapter.${key} is not a valid regular expression: ${(e as Error).message}.`,
      'Use a list of names, or correct the expression.',
    );
  }
}

/** The module paths closest to what was asked for, for the error message. */
export function nearestPaths(wanted: string, paths: readonly string[], count = 3): string[] {
  const last = (p: string) => p.split('.').slice(-wanted.split('.').length).join('.');
  const scored = paths.map((p) => ({ p, d: editDistance(wanted.toLowerCase(), last(p).toLowerCase()) }));
  return scored
    .sort((a, b) => a.d - b.d)
    .slice(0, count)
    .map((s) => s.p);
}
