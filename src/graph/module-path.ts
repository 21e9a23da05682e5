import type { Node } from './model';

/**
 * The path a linear layer's module had before export. Exporters keep it in different places, so they are
 * asked in this order: the weight's own name, the scope in the node's metadata, the node's name, the bias.
 */
export function modulePath(node: Node, weight: string, bias: string | undefined): string | undefined {
  return (
    fromParameter(weight) ??
    fromMetadata(node) ??
    fromNodeName(node.name) ??
    (bias ? fromParameter(bias) : undefined)
  );
}

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
