import { AuroraError } from '../../base/errors';
import {
  aboutMethod,
  type AdapterSpec,
  isHeadAlone,
  isRankedByLayer,
  type LayerRankedSpec,
  METHOD_NAMES,
  type TargetSpec,
  type TrainedSpec,
} from '../../experiment/methods';
import { type LinearLayer, outputLayers } from '../../graph/layers/linear';
import type { Graph } from '../../graph/model';
import { layersBeside } from '../../graph/reach';
import { isRouted } from '../../graph/routed';
import { type LeftOut, leftOutText } from '../../protocol/left-out';
import {
  type AdapterForm,
  type AdapterTensor,
  layerText,
  type LayerShape,
  type OnLayer,
} from '../methods/method';
import { methodOf } from '../methods/registry';
import { matchNow } from '../patterns/patterns';
import { endingsOf } from './endings';
import { savedModules } from './saved-modules';
import { tokenRows } from './token-rows';
import { fromPattern, matchTargets, nearestPaths, patternsOf, type TargetMatch } from './targets';

/** The facts about a layer that selection needs. */
export interface NamedLayer extends LayerShape {
  path: string;
}

/** An adapter on one layer: rank and alpha are this layer's own, after rankPattern and alphaPattern. */
export interface LayerAdapter<L extends NamedLayer = LinearLayer> extends OnLayer {
  layer: L;
  tensors: AdapterTensor[];
  /** Dynamic by default. */
  form?: AdapterForm;
  /**
   * It is not one of the method's own: a module that is trained whole (modulesToSave), trained rows of the embedding, or a head
   * that shares their weight, whose tensors are the embedding's.
   */
  beside?: 'module' | 'rows' | 'tied';
  /** Tells adapters on the same layer apart, in the names of their tensors. */
  slot?: string;
  /** The paths of the layers under which tensors are kept that this one shares, by short name. */
  owners?: Readonly<Record<string, string>>;
}

export interface Selection<L extends NamedLayer = LinearLayer> {
  adapters: LayerAdapter<L>[];
  /** Layers that "all-linear" would include if they reached the loss. */
  leftOut: LeftOut[];
  warnings: string[];
}

/**
 * The layers that get an adapter. Targets that match nothing are an error that lists the nearest names; targets that
 * name a layer that does not reach the loss are an error too.
 *
 * @param output the tensor that the head or the loss reads; omit if nothing is trained
 */
export const selectAdapters = (
  graph: Graph,
  layers: readonly LinearLayer[],
  spec: AdapterSpec,
  output?: string,
): Selection => {
  if (isHeadAlone(spec)) return { adapters: [], leftOut: [], warnings: [] };
  const saved = savedModules(graph, layers, spec, output);
  const rows = tokenRows(graph, layers, spec, output);
  if (aboutMethod(spec.method).onEmbedding)
    return { adapters: [...rows, ...saved.adapters], leftOut: [], warnings: saved.warnings };
  const others = layers.filter((l) => !saved.paths.has(l.path));
  const own = selectLayers(
    others,
    {
      outputs: outputLayers(graph, others),
      unreached: output === undefined ? [] : layersBeside(graph, others, output),
      routed: others.filter((l) => l.calls.some((c) => isRouted(c.node))).map((l) => l.path),
      poolers: others.filter((l) => l.pooler).map((l) => l.path),
    },
    spec,
  );
  return {
    adapters: [...own.adapters, ...saved.adapters, ...rows],
    leftOut: own.leftOut,
    warnings: [...own.warnings, ...saved.warnings],
  };
};

/** Selects layers from shapes alone. */
export function selectLayers<L extends NamedLayer>(
  layers: readonly L[],
  useless: UselessLayers,
  spec: AdapterSpec,
): Selection<L> {
  if (isHeadAlone(spec)) return { adapters: [], leftOut: [], warnings: [] };
  const paths = layers.map((l) => l.path);
  matchNow(patternsOf(spec), paths);
  const { matched, unmatched, unreached, leftOut } = chooseLayers(paths, spec, useless);
  if (matched.length === 0) throw nothingMatched(spec, paths, leftOut);
  if (unreached.length > 0) throw notReached(unreached);
  const warnings = unmatched
    .slice(0, LISTED)
    .map((t) => `targetModules: "${t}" matched no module (nearest: ${nearestPaths(t, paths).join(', ')}).`);
  if (unmatched.length > LISTED)
    warnings.push(`targetModules: ${unmatched.length - LISTED} more entries matched no module.`);
  const chosen = new Set(matched);
  const wanted = layers.filter((l) => chosen.has(l.path));
  const usable = aboutMethod(spec.method).onlyBiases ? wanted.filter((l) => l.hasBias !== false) : wanted;
  if (usable.length === 0) throw noBiases(wanted);
  if (usable.length < wanted.length)
    warnings.push(`${wanted.length - usable.length} of the ${wanted.length} chosen layers have no bias.`);
  return { adapters: adaptersFor(usable, spec, matched), leftOut, warnings };
}

/**
 * An adapter on each of these layers.
 *
 * @param paths of all layers that patterns are about
 * @throws AuroraError 'rank' for a size that a layer does not allow
 */
export function adaptersFor<L extends NamedLayer>(
  layers: readonly L[],
  spec: TrainedSpec,
  paths: readonly string[],
): LayerAdapter<L>[] {
  const widest = widestOf(layers);
  const ownersOf = sharing(spec);
  return layers.map((layer) => {
    const on = { layer, spec: ownSpec(layer, spec, paths), widest };
    const tensors = methodOf(spec).tensors(on);
    return { ...on, tensors, ...ownersOf({ ...on, tensors }) };
  });
}

/** The largest sizes among layers. */
export const widestOf = (layers: readonly LayerShape[]): LayerShape => ({
  inFeatures: Math.max(...layers.map((l) => l.inFeatures)),
  outFeatures: Math.max(...layers.map((l) => l.outFeatures)),
});

/** The owners of the tensors that layers share, as they are selected one after the other. */
function sharing(spec: TrainedSpec): (on: LayerAdapter<NamedLayer>) => Pick<LayerAdapter, 'owners'> {
  const { shared } = methodOf(spec);
  if (!shared) return () => ({});
  const counts = new Map<string, number>();
  const firsts = new Map<string, LayerAdapter<NamedLayer>>();
  return (on) => {
    const { path, inFeatures, outFeatures } = on.layer;
    const alike = `${path.slice(path.lastIndexOf('.') + 1)} ${outFeatures}x${inFeatures}`;
    const nth = counts.get(alike) ?? 0;
    counts.set(alike, nth + 1);
    const owners = Object.entries(shared(on, nth)).map(([name, key]) => {
      const full = `${name} ${key}`;
      const owner = firsts.get(full) ?? on;
      firsts.set(full, owner);
      if (dimsOf(owner, name) !== dimsOf(on, name)) throw notAlike(owner, on, name);
      return [name, owner.layer.path] as const;
    });
    return { owners: Object.fromEntries(owners) };
  };
}

const dimsOf = ({ tensors }: LayerAdapter<NamedLayer>, name: string): string =>
  tensors.find((t) => t.name === name)!.dims.join(' × ');

const notAlike = (
  first: LayerAdapter<NamedLayer>,
  second: LayerAdapter<NamedLayer>,
  name: string,
): AuroraError =>
  new AuroraError(
    'targets',
    `${METHOD_NAMES[first.spec.method]} has one ${name} for ${layerText(first.layer)} and ${layerText(second.layer)}, but it would be ${dimsOf(first, name)} for one and ${dimsOf(second, name)} for the other.`,
    'Leave one of the two out with adapter.excludeModules.',
  );

/** Entries of a list that are named, each with the nearest paths; the rest are counted. */
const LISTED = 20;

/** The spec with the layer's own rank and alpha. */
function ownSpec(layer: NamedLayer, spec: TrainedSpec, paths: readonly string[]): TrainedSpec {
  if (!isRankedByLayer(spec)) return spec;
  const own = { ...spec, rank: fromPattern(layer.path, spec.rankPattern, spec.rank, 'rankPattern', paths) };
  checkRank(layer, own);
  if (!('alpha' in own)) return own;
  return { ...own, alpha: fromPattern(layer.path, own.alphaPattern, own.alpha, 'alphaPattern', paths) };
}

/** 0 if the method has none. */
export const dropoutOf = (spec: AdapterSpec): number => ('dropout' in spec ? spec.dropout : 0);

/** The adapters in another form. */
export const inForm = <L extends NamedLayer>(
  adapters: readonly LayerAdapter<L>[],
  form: AdapterForm,
): LayerAdapter<L>[] => adapters.map((a) => ({ ...a, form }));

/** The largest rank of a layer; Infinity for a method that allows any. */
export const largestRank = (layer: LayerShape, spec: TrainedSpec): number =>
  methodOf(spec).sizeLimit?.([layer]) ?? Math.min(layer.inFeatures, layer.outFeatures);

function checkRank(layer: NamedLayer, spec: TrainedSpec & LayerRankedSpec): void {
  const { rank } = spec;
  const limit = largestRank(layer, spec);
  if (rank > limit)
    throw new AuroraError(
      'rank',
      `adapter.rank ${rank} is too large for the layer ${layer.path} (${layer.outFeatures} × ${layer.inFeatures}), which allows at most ${limit}.`,
      'Choose a smaller rank, or give this layer its own in adapter.rankPattern.',
    );
}

const noBiases = (layers: readonly NamedLayer[]): AuroraError =>
  new AuroraError(
    'targets',
    `BitFit trains biases, but no bias was found in any of the ${layers.length} chosen layers (${layers[0].path}).`,
    'Choose other layers in adapter.targetModules, or another method.',
  );

function nothingMatched(spec: TrainedSpec, paths: string[], leftOut: readonly LeftOut[]): AuroraError {
  if (leftOut.length > 0)
    return new AuroraError(
      'targets',
      `"all-linear" excludes every linear layer of the model: ${leftOutText(leftOut)}.`,
      'Name the layers in adapter.targetModules, or the output that the task reads in model.output.',
    );
  const wanted = Array.isArray(spec.targetModules) ? spec.targetModules : [spec.targetModules];
  const named = wanted.slice(0, LISTED);
  const near = [...new Set(named.flatMap((t) => nearestPaths(t, paths)))].slice(0, 6);
  const more = wanted.length - named.length;
  const what = named.map((t) => `"${t}"`).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return new AuroraError(
    'targets',
    paths.length
      ? `adapter.targetModules ${what} matched none of the ${paths.length} linear layers. Nearest: ${near.join(', ')}.`
      : `The model has no linear layers with constant weights, so there is nothing to adapt.`,
    'Run `aurora inspect MODEL` for all module paths, or use "all-linear".',
  );
}

/** Layers that "all-linear" leaves out of a model, by path. */
export interface UselessLayers {
  /** Their output is the model's own. */
  outputs: readonly string[];
  /** The output that the task reads does not depend on them. */
  unreached: readonly string[];
  /** They are routers or experts of a mixture of experts, which stay frozen unless they are named. */
  routed?: readonly string[];
  /** Those of a folder's pooler, which no target means if the output does not depend on them. */
  poolers?: readonly string[];
}

export interface LayerChoice extends TargetMatch {
  /** The layers among `matched`, named by a list or an expression, that do not reach the loss. */
  unreached: string[];
  /** The layers that "all-linear" skipped, in layer order. */
  leftOut: LeftOut[];
}

/** The layers that get an adapter, and those that prevent training or were skipped. */
export function chooseLayers(
  paths: readonly string[],
  spec: TargetSpec,
  { outputs, unreached, routed = [], poolers = [] }: UselessLayers,
): LayerChoice {
  const beside = new Set(unreached);
  const unused = new Set(poolers.filter((p) => beside.has(p)));
  if (spec.targetModules !== 'all-linear') {
    const match = matchTargets(paths, spec);
    const meant = match.matched.filter((p) => !unused.has(p));
    const matched = meant.length > 0 ? meant : match.matched;
    return { ...match, matched, unreached: matched.filter((p) => beside.has(p)), leftOut: [] };
  }
  const { matched: all } = matchTargets(paths, spec);
  const experts = new Set(routed);
  const match = matchTargets(paths, spec, [...outputs, ...unreached, ...routed]);
  const kept = new Set(match.matched);
  const leftOut = all
    .filter((p) => !kept.has(p) && !unused.has(p))
    .map((path): LeftOut => ({
      path,
      why: beside.has(path) ? 'unreached' : experts.has(path) ? 'routed' : 'output',
    }));
  return { ...match, unreached: [], leftOut };
}

/** The error for a list or an expression that names layers that do not reach the loss. */
const notReached = (paths: readonly string[]): AuroraError =>
  new AuroraError(
    'targets',
    `adapter.targetModules names ${paths.length === 1 ? 'a layer that does' : `${paths.length} layers that do`} not reach the loss: ${paths.join(', ')}.`,
    `${paths.length === 1 ? 'It feeds' : 'They feed'} another output of the model. Leave ${paths.length === 1 ? 'it' : 'them'} out with adapter.excludeModules, or name that output in model.output.`,
  );

/**
 * The layers that are usually adapted in the common model families, mostly query and value; if one layer holds both,
 * that layer.
 */
const USUAL = [
  ['query', 'value'],
  ['q_proj', 'v_proj'],
  ['q_lin', 'v_lin'],
  ['query_proj', 'value_proj'],
  ['q', 'v'],
  // The paper's in a U-Net, and the usual ones there.
  ['to_q', 'to_k', 'to_v', 'to_out.0'],
  ['to_q', 'to_v'],
  ['query_key_value'],
  ['Wqkv'],
  ['qkv'],
  ['c_attn'],
  ['in_proj'],
  // Models of images without attention.
  ['pwconv1', 'pwconv2'],
  ['pointwise_conv1', 'pointwise_conv2'],
];

/** The endings that the paper adapts, under this model's names; all endings if none is known. */
export function likelyTargets(layers: readonly NamedLayer[]): string[] {
  const names = endingsOf(layers).map((e) => e.name);
  return USUAL.find((row) => row.every((name) => names.includes(name))) ?? [];
}
