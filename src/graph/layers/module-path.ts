import type { Node } from '../model';

/** The traces of a linear layer's module in a graph. */
export interface Traces {
  node: Node;
  /** Name of the weight. */
  weight: string;
  /** Name of the bias that is added. */
  bias: string | undefined;
  /** The weight is shared with an embedding and named after it: then its name comes last. */
  tied: boolean;
}

/**
 * The path of a linear layer's module before export, as in `named_modules()`. Exporters keep it in different places,
 * tried in this order: the note of a rewrite of a fused operator, the weight's own name, the scope in the node's
 * metadata, the bias if it matches the node's name, the node's name, the bias.
 *
 * @param isList returns true if a parameter of the model lies below a number after a path
 */
export function modulePath(
  { node, weight, bias, tied }: Traces,
  isList: (path: string) => boolean,
): string | undefined {
  const owner = bias === undefined ? undefined : moduleOfParameter(bias);
  return (
    node.metadata.get(MODULE) ??
    (tied ? undefined : moduleOfParameter(weight)) ??
    innermost(namesInMetadata(node)) ??
    fromScopes(node.name, owner, isList) ??
    owner ??
    moduleOfParameter(weight)
  );
}

/** True if two paths differ only in the numbers that torch.onnx gives to later calls: `layer_1.query_2`. */
export function sameModule(a: string, b: string): boolean {
  const plain = (path: string) =>
    path
      .split('.')
      .map((part) => part.replace(/_\d+$/, ''))
      .join('.');
  return plain(a) === plain(b);
}

/** True if a constant is named after its owning module. */
export const isModuleParameter = (name: string): boolean => moduleOfParameter(name) !== undefined;

/**
 * The module that a constant is named after: `encoder.layer.0.query.weight`, TensorFlow's
 * `bert/encoder/layer_0/query/kernel:0`, or, with the operator, ONNX Runtime GenAI's
 * `model.layers.0.attn.qkv_proj.MatMul.weight`.
 */
export function moduleOfParameter(name: string): string | undefined {
  const m = /^(.+?)(?:\.(?:MatMul|Add))?[./](?:weight|bias|kernel)(?::\d+)?$/.exec(asBefore(name));
  if (!m || /^(?:onnx|_v_)::/.test(name)) return undefined;
  return m[1].replace(/^\//, '').replaceAll('/', '.');
}

/**
 * A name without the suffix of quantizers: `_Q4`, `_matmul_Q4`, `_Bnb4` (ONNX Runtime), `_Q4G32` (Neural Compressor), `_quant`.
 */
const asBefore = (name: string): string =>
  name.replace(/(?:_matmul)?_Q\d+(?:G\d+)?$|_Bnb4$|_quant(?:ized)?$/, '');

/**
 * The path of the module whose code a node came from, if the exporter records it: torch.onnx's newer exporter in the
 * node's metadata, the classic one in the node's name, `/encoder/layer.0/query/MatMul`. Otherwise undefined.
 */
export function scopeOf(node: Node): string | undefined {
  const names = namesInMetadata(node);
  if (names.length > 1) return innermost(names);
  const parts = node.name.split('/').filter((p) => p !== '');
  return node.name.startsWith('/') && parts.length > 1
    ? pathOfScopes(parts.slice(0, -1), () => false)
    : undefined;
}

/** torch.onnx's newer exporter: `"['', 'encoder', 'encoder.layer.0.query', 'linear_3']"`; the last is the FX node. */
function namesInMetadata(node: Node): string[] {
  const scopes = node.metadata.get('pkg.torch.onnx.name_scopes') ?? '';
  return [...scopes.matchAll(/'([^']*)'|"([^"]*)"/g)].map((m) => m[1] ?? m[2]);
}

const innermost = (names: readonly string[]): string | undefined => names.at(-2) || undefined;

/** torch.onnx's classic exporter: `/encoder/layer.0/query/MatMul`, later calls `…/MatMul_1`. */
function scopesOf(name: string): string[] | undefined {
  const parts = asBefore(name)
    .split('/')
    .filter((p) => p !== '');
  const last = parts.pop();
  return parts.length > 0 &&
    last &&
    /^(?:MatMul|MatMulNBits|MatMulBnb4|Gemm|FusedMatMul)(?:_\d+)?$/i.test(last)
    ? parts
    : undefined;
}

/** The bias's own module is right unless the exporter replaced it with an equal constant of another module. */
function fromScopes(
  name: string,
  owner: string | undefined,
  isList: (path: string) => boolean,
): string | undefined {
  const scopes = scopesOf(name);
  if (!scopes) return undefined;
  return owner !== undefined && isUsedIn(owner, scopes) ? owner : pathOfScopes(scopes, isList);
}

/**
 * Module paths from the scopes in the node names of torch.onnx's classic exporter. It names each called module by the
 * end of its path: the last part that is not a number, and the numbers after it (`_unqualified_variable_name` in
 * torch/onnx/utils.py). `features.1.0.mlp` is "mlp", and `features.1.0.mlp.0` is "mlp.0". A later call gets a number
 * after the last name, "mlp.0_1".
 */
const NUMBER = /^\d+(?:_\d+)?$/;
const CALL = /_\d+$/;

/** The exporter's name of a module. */
function scopeName(path: string): string {
  const parts = path.split('.');
  const named = parts.findLastIndex((part) => !NUMBER.test(part));
  return parts.slice(Math.max(0, named)).join('.');
}

/**
 * The path of the innermost of nested scopes. A module called by a Sequential repeats the Sequential's name in its own,
 * "features" and "features.1": it counts once. These two names can come from a list `features` inside a module
 * `features`; then parameters with numbers after a path decide.
 *
 * @param isList returns true if a parameter of the model lies below a number after a path
 */
export function pathOfScopes(scopes: readonly string[], isList: (path: string) => boolean): string {
  let path = '';
  let outer = '';
  for (const scope of scopes) {
    const nested = path === '' ? scope : `${path}.${scope}`;
    const again = outer !== '' && scope.startsWith(`${outer}.`) && NUMBER.test(partAfter(scope, outer));
    const merged = again ? `${path}${scope.slice(outer.length)}` : undefined;
    if (scope.split('.').every((part) => NUMBER.test(part))) path = scope;
    else path = merged !== undefined && (isList(listOf(merged)) || !isList(listOf(nested))) ? merged : nested;
    outer = scope;
  }
  return path;
}

/** Without trailing numbers. */
const listOf = (path: string): string => path.replace(/(?:\.\d+(?:_\d+)?)+$/, '');

const partAfter = (scope: string, outer: string): string => scope.slice(outer.length + 1).split('.')[0];

/**
 * True if a module can have been used in these scopes: its path contains its ancestors' names in order, and its own
 * name or, if a function is applied to its weight (`F.linear(x, self.qkv.weight)`), the name of the module that calls
 * it. Ancestors that are not called, such as a ModuleList, are in no scope.
 */
export function isUsedIn(path: string, scopes: readonly string[]): boolean {
  const parts = path.split('.');
  let left = scopes.length;
  for (let n = parts.length; n > 0 && left > 0; n--) {
    const name = scopeName(parts.slice(0, n).join('.'));
    const scope = scopes[left - 1];
    if (name === scope || (left === scopes.length && name === scope.replace(CALL, ''))) left--;
  }
  return left === 0;
}

/** In a node's metadata: the path of the module whose work it does, if no name in the file has it. */
export const MODULE = 'aurora.module';

/** In the metadata of a Split: its outputs are weights or biases of linear layers that share one constant. */
export const PACKED = 'aurora.packed';
