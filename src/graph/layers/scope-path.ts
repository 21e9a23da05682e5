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
