import { methodOf, peftParts } from '../adapters/methods/registry';
import { inForm, type LayerAdapter, selectAdapters } from '../adapters/targets/select';
import { exactly, nearestPaths } from '../adapters/targets/targets';
import { AuroraError } from '../base/errors';
import { nameTable } from '../base/names';
import type { TrainedSpec } from '../experiment/methods';
import type { FloatTensor } from '../graph/file/safetensors';
import { type LinearLayer, pytorchPathOf } from '../graph/layers/linear';
import type { Graph } from '../graph/model';
import type { AdapterFolder } from './adapter-folder';
import { OUTSIDE, PREFIX } from './keys';
import { folderNames } from './renamed-modules';
import { isInTextEncoder, isKohyaName, kohyaPaths } from './kohya-names';
import { IMPORTED, importedSpec } from './adapter-spec';
import { withAllRanks } from './used-ranks';
import { ROWS, savedNames, takeRows, takeSaved } from './take-beside';
import { take } from './take';

/** An adapter from disk, fitted to a model's layers. */
export interface FittedAdapter {
  /** The spec as an experiment would state it. */
  spec: TrainedSpec;
  /** In the form that was trained last. */
  adapters: LayerAdapter[];
  /** By `tensorName`. */
  parameters: Map<string, Float32Array>;
  head: AdapterModules['head'];
}

/**
 * @param layers of the graph
 * @param keepsHead true if the model's own logits are trained on: a head in the file then belongs to the saved modules
 * @throws AuroraError 'adapter' if a module of the adapter is missing from the model or has another size there
 */
export function fitAdapter(
  from: AdapterFolder,
  graph: Graph,
  layers: readonly LinearLayer[],
  { keepsHead = false } = {},
): FittedAdapter {
  const { spec: settings, form, alphaOf, rankIn } = importedSpec(from);
  const { modules, saved, rows, outside, head } = adapterModules(from, keepsHead);
  if (modules.size === 0 && rows.size === 0)
    throw new AuroraError(
      'adapter',
      `${from.folder} does not adapt any module.`,
      'Choose an adapter with adapted modules: a head alone cannot be imported.',
    );
  const paths = matchPaths(from.folder, [...modules.keys()], layers);
  const common = {
    ...settings,
    targetModules:
      'tokenIndices' in settings ? [...rows.keys()].map(lastName) : targetsFor([...paths.values()], layers),
  } as TrainedSpec;
  const rankPattern = nameTable<number>();
  const alphaPattern = nameTable<number>();
  for (const [path, layer] of paths) {
    const on = layers.find((l) => l.path === layer)!;
    const like = { spec: common, tensors: tensorsOn(on, common) };
    const own = withAllRanks(from.folder, from.config, path, modules.get(path)!, like);
    modules.set(path, own);
    const rank = rankOf(own, common, on) ?? rankIn?.(path);
    if ('rank' in settings && rank !== undefined && rank !== settings.rank)
      rankPattern[exactly(layer)] = rank;
    const alpha = alphaOf?.(path);
    if ('alpha' in settings && alpha !== undefined && alpha !== settings.alpha)
      alphaPattern[exactly(layer)] = alpha;
  }
  const spec = {
    ...common,
    ...(Object.keys(rankPattern).length > 0 && { rankPattern }),
    ...(Object.keys(alphaPattern).length > 0 && { alphaPattern }),
    ...(saved.size > 0 && { modulesToSave: savedNames(from, [...saved.keys()]) }),
  } as TrainedSpec;
  const { adapters: selected } = selectAdapters(graph, layers, spec);
  // The last layer of a head that the task trains is not one of the saved modules.
  const adapters = selected.filter((a) => a.beside !== 'module' || a.layer.path !== head?.module);
  const parameters = new Map<string, Float32Array>();
  for (const [path, layer] of paths) {
    const adapter = adapters.find((a) => a.layer.path === layer)!;
    take(from.folder, path, modules.get(path)!, adapter, outside).forEach((data, name) => {
      // Tensors that layers share are repeated in the file.
      const known = parameters.get(name);
      if (known?.some((v, i) => v !== data[i])) throw notShared(from.folder, path, name);
      parameters.set(name, data);
    });
  }
  requireKnown(from.folder, outside, adapters, paths);
  takeSaved(from.folder, saved, adapters).forEach((data, name) => parameters.set(name, data));
  takeRows(from.folder, rows, adapters).forEach((data, name) => parameters.set(name, data));
  return { spec, adapters: inForm(adapters, form), parameters, head };
}

/**
 * Maps each module of an adapter to its layer. The model may be wrapped differently than at export, so that all paths
 * have an extra prefix, or lack one, and transformers 5 has renamed modules of some classes.
 */
function matchPaths(
  folder: string,
  modules: readonly string[],
  layers: readonly LinearLayer[],
): Map<string, string> {
  const known = new Set(layers.map((l) => l.path));
  const named = modules.every(isKohyaName) ? kohyaPaths([...known]) : undefined;
  // Two modules on one layer would mean an adapter for a model with two such parts, of which this is one.
  const fits = (renamed: readonly string[]) =>
    renamed.every((path) => known.has(path)) && new Set(renamed).size === renamed.length;
  const ways = named
    ? [(module: string) => named.get(module) ?? module]
    : [(module: string) => module, ...folderNames].flatMap((inFolder) =>
        [...renamings(inFolder(modules[0]), [...known]), withoutPrefix(layers)].map(
          (rename) => (module: string) => rename(inFolder(module)),
        ),
      );
  const found = ways.find((rename) => fits(modules.map(rename)));
  if (found) return new Map(modules.map((m) => [m, found(m)]));
  const missing = modules.filter((m) => !(named ?? known).has(m));
  if (missing.some(isInTextEncoder) && ![...known].some(isInTextEncoder)) throw withoutTexts(folder, missing);
  throw new AuroraError(
    'adapter',
    `${folder} adapts ${missing.length} ${missing.length === 1 ? 'module' : 'modules'} that the model does not have, such as ${missing[0]} (nearest: ${nearestPaths(missing[0], [...(named ?? known).keys()]).join(', ')}).`,
    'Run `aurora inspect MODEL` for its module paths. An export with fused layers (qkv) does not fit adapters for the separate layers.',
  );
}

const withoutTexts = (folder: string, missing: readonly string[]): AuroraError =>
  new AuroraError(
    'adapter',
    `${folder} adapts a text encoder too (${missing.find(isInTextEncoder)!}), but here only the U-Net is adapted.`,
    'In an experiment, set task.trainTextEncoder to true; a pipeline without a run takes it as it is: aurora play --model PIPELINE --adapter FILE.',
  );

/** Adapters have the names of the task model, with its prefix. */
function withoutPrefix(layers: readonly LinearLayer[]): (path: string) => string {
  const names = new Map(layers.map((layer) => [pytorchPathOf(layer), layer.path]));
  return (path) => names.get(path) ?? path;
}

function renamings(module: string, paths: readonly string[]): ((path: string) => string)[] {
  const parts = module.split('.');
  const without = parts.slice(1).map(
    (_, n) => (path: string) =>
      path
        .split('.')
        .slice(n + 1)
        .join('.'),
  );
  const before = paths
    .filter((p) => p.endsWith(`.${module}`))
    .map((p) => (path: string) => `${p.slice(0, -module.length)}${path}`);
  return [(path: string) => path, ...before, ...without];
}

const lastName = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** Names if they match only these layers, otherwise a regular expression. */
function targetsFor(paths: readonly string[], layers: readonly LinearLayer[]): string | string[] {
  const also = layers.some(
    (l) => !paths.includes(l.path) && paths.some((path) => l.path.endsWith(`.${path}`)),
  );
  return also ? paths.map(exactly).join('|') : [...paths];
}

const tensorsOn = (layer: LinearLayer, spec: TrainedSpec) =>
  methodOf(spec).tensors({ layer, spec, widest: layer });

const notShared = (folder: string, path: string, name: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${folder}: ${path} has its own values of a tensor that layers with the same last name and sizes share here (${name}).`,
    'Import an adapter whose target modules are the last parts of the paths, such as "query".',
  );

/**
 * @param paths of the layers, by the modules' paths in the file
 * @throws AuroraError 'adapter' for a tensor outside of modules that no module has
 */
function requireKnown(
  folder: string,
  outside: AdapterModules['outside'],
  adapters: readonly LayerAdapter[],
  paths: ReadonlyMap<string, string>,
): void {
  const known = new Set<string | undefined>();
  for (const [path, layer] of paths)
    for (const t of adapters.find((a) => a.layer.path === layer)!.tensors) known.add(t.outside?.key(path));
  const more = [...outside.keys()].find((key) => !known.has(key));
  if (more !== undefined) throw notKnown(folder, `${OUTSIDE}${more}`, more);
}

/** The rank of a module's tensors; undefined for a method without one. */
function rankOf(
  own: ReadonlyMap<string, FloatTensor>,
  spec: TrainedSpec,
  layer: LinearLayer,
): number | undefined {
  const ranked = tensorsOn(layer, spec).find((t) => t.rankAxes.length > 0);
  return ranked && own.get(ranked.peftName)?.dims[ranked.rankAxes[0]];
}

/** An adapter's tensors, by module. */
interface AdapterModules {
  /** By module path as in the file, then by the tensor's own key, such as lora_A.weight. */
  modules: Map<string, Map<string, FloatTensor>>;
  /** Weights and biases of modules that were saved whole (modules_to_save), likewise. */
  saved: Map<string, Map<string, FloatTensor>>;
  /** Trained rows of embeddings (trainable_token_indices), likewise. */
  rows: Map<string, Map<string, FloatTensor>>;
  /** Tensors outside of modules, which several of them share, by their keys without `base_model.`. */
  outside: Map<string, FloatTensor>;
  /** With the path of its module: `classifier.out_proj` is the last of two layers. */
  head: { module: string; weight: FloatTensor; bias?: FloatTensor } | undefined;
}

const PART = new RegExp(
  `^(.+)\\.(${peftParts()
    .map((part) => part.replaceAll('.', '\\.').replaceAll('*', '\\d+'))
    .join('|')})$`,
);
/** PEFT's names for sequence classification heads, by model family. */
const HEAD = /^(?:.+\.)?(classifier(?:\.out_proj)?|score)\.(weight|bias)$/;
/** A module that was saved whole; a variant's tensors end alike. */
const SAVED = /^((?!.*lora_).+)\.(weight|bias)$/;
/** Parts of LoRA variants that are not supported here. */
const VARIANTS: readonly [RegExp, string][] = [[/lora_embedding_[AB]/, 'LoRA on an embedding']];

/**
 * @param keepsHead true if a head belongs to the saved modules
 * @throws AuroraError 'adapter' naming a tensor that belongs to no known method
 */
export function adapterModules({ folder, tensors }: AdapterFolder, keepsHead = false): AdapterModules {
  const modules: AdapterModules['modules'] = new Map();
  const saved: AdapterModules['saved'] = new Map();
  const rows: AdapterModules['rows'] = new Map();
  const outside: AdapterModules['outside'] = new Map();
  const head: { module?: string; weight?: FloatTensor; bias?: FloatTensor } = {};
  const misfit = (message: string) =>
    new AuroraError('adapter', message, 'The adapter belongs to another kind of model or has been changed.');
  for (const [key, tensor] of tensors) {
    if (key.startsWith(OUTSIDE) && !key.startsWith(PREFIX)) {
      outside.set(key.slice(OUTSIDE.length), tensor);
      continue;
    }
    const name = plainName(key);
    const part = PART.exec(name);
    const ofHead = keepsHead ? undefined : HEAD.exec(name);
    const whole = SAVED.exec(name);
    if (part) {
      const among = part[2] === ROWS ? rows : modules;
      const own = among.get(part[1]) ?? new Map<string, FloatTensor>();
      among.set(part[1], own.set(part[2], tensor));
    } else if (ofHead) {
      const which = ofHead[2] as 'weight' | 'bias';
      if (head[which]) throw misfit(`${folder} has two heads; ${key} belongs to the second.`);
      head[which] = tensor;
      head.module = ofHead[1];
    } else if (whole) {
      const own = saved.get(whole[1]) ?? new Map<string, FloatTensor>();
      saved.set(whole[1], own.set(whole[2], tensor));
    } else throw notKnown(folder, key, name);
  }
  const { weight, bias } = head;
  if (bias && !weight) throw misfit(`${folder} has a head with a bias but no weight.`);
  if (weight && (weight.dims.length !== 2 || (bias && bias.dims.join() !== String(weight.dims[0]))))
    throw misfit(
      `The head in ${folder} is not a linear layer: its weight is [${weight.dims.join(', ')}]${bias ? ` and its bias is [${bias.dims.join(', ')}]` : ''}.`,
    );
  return { modules, saved, rows, outside, head: weight && { module: head.module!, weight, bias } };
}

/** Without PEFT's wrappers, and without the adapter name found in files of older PEFT versions. */
const plainName = (key: string): string =>
  (key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key)
    .replace('.modules_to_save.default.', '.')
    .replace('.modules_to_save.', '.')
    .replace('.token_adapter.', '.')
    .replace(/\.(lora_[AB])\.default\.(weight|bias)$/, '.$1.$2')
    .replace(/\.lora_magnitude_vector(\.default)?(\.weight)?$/, '.lora_magnitude_vector');

function notKnown(folder: string, key: string, name: string): AuroraError {
  const variant = VARIANTS.find(([pattern]) => pattern.test(name))?.[1];
  return new AuroraError(
    'adapter',
    variant
      ? `${folder} contains ${variant}, which AuroRA Lab does not support: ${key}.`
      : `${folder} has a tensor that does not belong to any supported adapter: ${key}.`,
    `Import an adapter of ${IMPORTED} on linear layers, or one made by AuroRA Lab, with a linear head or none.`,
  );
}
