import type { LinearLayer } from './linear';

/** Different weights under one name (functional calls in one scope) are different layers. */
export class PathNumbers {
  private readonly weights = new Map<string, Map<string, number>>();

  of(base: string, weight: string): string {
    const numbers = this.weights.get(base) ?? new Map<string, number>();
    this.weights.set(base, numbers);
    const nth = numbers.get(weight) ?? numbers.size;
    numbers.set(weight, nth);
    return nth === 0 ? base : `${base}_${nth}`;
  }
}

/** @returns whether a constant's name puts its module at or below a number after a path: `PATH.3.weight` */
export function numberedPaths(names: Iterable<string>): (path: string) => boolean {
  const paths = new Set<string>();
  for (const name of names) {
    if (name.includes('::') || name.includes('/')) continue;
    for (const { index } of name.matchAll(/\.\d+(?=\.)/g)) paths.add(name.slice(0, index));
  }
  return (path) => paths.has(path);
}

/**
 * The layers of a model under the paths that a run uses. A run started under the paths of an earlier version keeps
 * those in its journal, checkpoints and snapshots; its PEFT export uses PyTorch's.
 *
 * @param modules that the run adapts, from its journal; undefined for a run that has not started
 */
export function namedAs(
  layers: readonly LinearLayer[],
  modules: readonly string[] | undefined,
): LinearLayer[] {
  const paths = new Set(layers.map((l) => l.path));
  const former = new Set(layers.map((l) => l.formerPath ?? l.path));
  const isFormer = modules?.some((m) => !paths.has(m)) && modules.every((m) => former.has(m));
  if (!isFormer) return [...layers];
  return layers.map(({ formerPath, ...l }) =>
    formerPath === undefined ? l : { ...l, path: formerPath, pytorchPath: l.path },
  );
}

/** A layer's path in the PyTorch model. */
export const pytorchPathOf = ({ path, pytorchPath = path }: LinearLayer): string => pytorchPath;
