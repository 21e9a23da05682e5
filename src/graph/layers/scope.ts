import type { Node } from '../model';
import { pathOfScopes } from './scope-path';

/**
 * The path of the module whose code a node came from, if the exporter records it: torch.onnx's newer exporter in the
 * node's metadata, the classic one in the node's name, `/encoder/layer.0/query/MatMul`. Otherwise undefined.
 */
export function scopeOf(node: Node): string | undefined {
  const scopes = node.metadata.get('pkg.torch.onnx.name_scopes');
  const names = scopes ? [...scopes.matchAll(/'([^']*)'|"([^"]*)"/g)].map((m) => m[1] ?? m[2]) : [];
  if (names.length > 1) return names.at(-2) || undefined;
  const parts = node.name.split('/').filter((p) => p !== '');
  return node.name.startsWith('/') && parts.length > 1
    ? pathOfScopes(parts.slice(0, -1), () => false)
    : undefined;
}
