import type { Ending } from '../../protocol/budget';
import type { NamedLayer } from './select';
import { matchTargets } from './targets';

/**
 * The name endings that users select modules by: the last name of a path ("query"), and if different places share it,
 * also the last two ("intermediate.dense"). An index alone names nothing, so it includes its parent ("to_out.0"). Each
 * with the layers that PEFT's rule matches, in the model's order.
 */
export function endingsOf(modules: readonly NamedLayer[]): Ending[] {
  const byLast = new Map<string, Set<string>>();
  for (const { path } of modules) {
    const last = ending(path, 1);
    byLast.set(last, (byLast.get(last) ?? new Set()).add(ending(path, 2)));
  }
  const names = [...byLast].flatMap(([last, longer]) => {
    const named = [...longer].filter((l) => l !== last && !/(^|\.)\d+\./.test(l));
    return [last, ...(longer.size > 1 ? named : [])];
  });
  const paths = modules.map((m) => m.path);
  return names.map((name) => {
    const { matched } = matchTargets(paths, { targetModules: [name] });
    const chosen = new Set(matched);
    const shapes = modules.filter((m) => chosen.has(m.path)).map((m) => `${m.outFeatures} × ${m.inFeatures}`);
    return { name, modules: matched.length, shapes: [...new Set(shapes)] };
  });
}

/** The last `count` names of a path; indices do not count. */
function ending(path: string, count: number): string {
  const parts = path.split('.');
  let names = 0;
  for (let i = parts.length - 1; i >= 0; i--) {
    if (!/^\d+$/.test(parts[i])) names++;
    if (names === count) return parts.slice(i).join('.');
  }
  return path;
}
