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

/** @returns a test: true if a constant's name puts a module at or below a number after a path: `PATH.3.weight` */
export function numberedPaths(names: Iterable<string>): (path: string) => boolean {
  const paths = new Set<string>();
  for (const name of names) {
    if (name.includes('::') || name.includes('/')) continue;
    for (const { index } of name.matchAll(/\.\d+(?=\.)/g)) paths.add(name.slice(0, index));
  }
  return (path) => paths.has(path);
}

/** A layer's path in the PyTorch model. */
export const pytorchPathOf = ({ path, pytorchPath = path }: LinearLayer): string => pytorchPath;
