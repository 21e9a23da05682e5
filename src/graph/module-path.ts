import type { Node } from './model';

/**
 * The path a linear layer's module had before export. Exporters keep it in different places, so they are
 * asked in this order: the weight's own name, the scope in the node's metadata, the node's name, the bias.
 *
 * @param tied the weight is an embedding's too, and named after that: then its name comes last
 */
export function modulePath(
  node: Node,
  weight: string,
  bias: string | undefined,
  tied: boolean,
): string | undefined {
  return (
    (tied ? undefined : fromParameter(weight)) ??
    fromMetadata(node) ??
    fromNodeName(node.name) ??
    (bias ? fromParameter(bias) : undefined) ??
    fromParameter(weight)
  );
}

/** Whether two paths differ only in the numbers that torch.onnx gives to later calls: `layer_1.query_2`. */
export function sameModule(a: string, b: string): boolean {
  const plain = (path: string) =>
    path
      .split('.')
      .map((part) => part.replace(/_\d+$/, ''))
      .join('.');
  return plain(a) === plain(b);
}

/** Whether a constant is named after a module that owns it. */
export const isModuleParameter = (name: string): boolean => fromParameter(name) !== undefined;

/** `encoder.layer.0.query.weight`, or TensorFlow's `bert/encoder/layer_0/query/kernel:0`. */
function fromParameter(name: string): string | undefined {
  const m = /^(.+)[./](?:weight|bias|kernel)(?::\d+)?$/.exec(name);
  if (!m || /^(?:onnx|_v_)::/.test(name)) return undefined;
  return m[1].replace(/^\//, '').replaceAll('/', '.');
}

/** torch.onnx's newer exporter: `"['', 'encoder', 'encoder.layer.0.query', 'linear_3']"`; the last is the FX node. */
function fromMetadata(node: Node): string | undefined {
  const scopes = node.metadata.get('pkg.torch.onnx.name_scopes');
  if (!scopes) return undefined;
  const names = [...scopes.matchAll(/'([^']*)'|"([^"]*)"/g)].map((m) => m[1] ?? m[2]);
  return names.at(-2) || undefined;
}

/** torch.onnx's classic exporter: `/encoder/layer.0/query/MatMul`, later calls `…/MatMul_1`. */
function fromNodeName(name: string): string | undefined {
  const parts = name.split('/').filter((p) => p !== '');
  const last = parts.pop();
  return parts.length > 0 && last && /^(?:MatMul|Gemm|FusedMatMul)(?:_\d+)?$/i.test(last)
    ? parts.join('.')
    : undefined;
}
