import { tensorName } from '../../../adapters/stored-tensors';
import { join } from 'node:path';
import { type LayerAdapter, selectLayers } from '../../../adapters/targets/select';
import { declaredOutputs, taskOutput } from '../../../adapters/task-output';
import { modelSource } from '../../../architectures/model-source';
import { AuroraError } from '../../../base/errors';
import { isRanked, type TrainedSpec } from '../../../experiment/methods';
import type { FloatTensor } from '../../../graph/file/safetensors';
import { pytorchPathOf } from '../../../graph/layers/linear';
import type { Model } from '../../../graph/model';
import { tensorOf } from '../../../graph/values';
import { type AdapterFolder, readAdapterFolder } from '../../../peft/adapter-folder';
import { fitAdapter } from '../../../peft/fit';
import { peftKey } from '../../../peft/keys';
import { type BaseModel, withLinear } from '../../../training/task/adapted-model';
import type { CaseSubject, DenseArray, ReferenceCase, StepFields } from './case';
import type { Comparison } from './compare-arrays';

/** A file of test/fixtures/peft or peft-more: settings and tensors under PEFT's names, modules of a class of transformers. */
export interface PeftCase extends ReferenceCase {
  peftType: string;
  /** Names of modules in the folder where transformers has renamed them, by their names in the class. */
  namesInFolder?: Record<string, string>;
  /** Tensors of the adapter's file that are not trained. */
  frozenInAdapterFile?: string[];
  /** Weights that PEFT's initialization left in the base model, by their names in the class. */
  changedBase?: Record<string, DenseArray>;
}

export const isOfPeft = (c: ReferenceCase): c is PeftCase =>
  'peftType' in c && typeof c.peftType === 'string';

/**
 * A case of PEFT under our names. Its adapter's folder is read as an import reads it, with the case's values for the
 * trained tensors, and its targets choose modules by PEFT's rules.
 *
 * @param folder of the model, with the adapter's in it
 * @throws AuroraError 'adapter' for a method or settings that cannot be imported
 */
export function peftSubject(report: Comparison, c: PeftCase, folder: string, loaded: Model): CaseSubject {
  const base = withChangedBase(withLinear({ source: modelSource(folder), original: loaded }), c);
  const from = adapterOf(c, join(folder, 'adapter'));
  const fitted = fitAdapter(from, base.model.graph, base.layers, { keepsHead: true });
  const frozen = new Set(c.frozenInAdapterFile);
  const adapters = fitted.adapters.map((a) => withFrozen(a, frozen));
  const own = adapters.filter((a) => a.beside !== 'module' && a.beside !== 'tied');
  compareTargets(report, c, from, base, own, fitted.spec);
  const { objective, trainingLoss } = c;
  const output = taskOutput(declaredOutputs(base.model.graph), { output: undefined, head: false });
  return {
    model: base.model,
    case: ownNames(c, adapters),
    task: { objective, output, adapters, trainingLoss },
    parameters: fitted.parameters,
  };
}

/** The adapter's folder, with the case's values: PEFT's file has the same in float32. */
function adapterOf(c: PeftCase, path: string): AdapterFolder {
  const { config, tensors } = readAdapterFolder(path);
  const values = Object.entries(c.trainable).map(([key, { dims, data }]): [string, FloatTensor] => [
    key,
    { dims, data: Float32Array.from(data) },
  ]);
  return {
    folder: path,
    // On the changed base, the adapter is a plain one.
    config: c.changedBase ? { ...config, init_lora_weights: true } : config,
    tensors: new Map([...tensors, ...values]),
  };
}

/** @throws AuroraError 'usage' for a weight that the model does not have, or not in this shape */
function withChangedBase(base: BaseModel, { changedBase = {} }: PeftCase): BaseModel {
  const names = Object.keys(changedBase);
  if (names.length === 0) return base;
  const initializers = new Map(base.original.graph.initializers);
  for (const name of names) {
    const { dims, data } = changedBase[name];
    const layer = base.layers.find((l) => `${pytorchPathOf(l)}.weight` === name);
    const before = layer && initializers.get(layer.weight.name);
    if (before?.dims.join() !== dims.join())
      throw new AuroraError(
        'usage',
        `changedBase.${name} is [${dims.join(', ')}], but the model has ${before ? `[${before.dims.join(', ')}]` : 'no such weight'}.`,
      );
    initializers.set(before.name, tensorOf(before.name, before.dtype, dims, data));
  }
  const { source, original } = base;
  return withLinear({ source, original: { ...original, graph: { ...original.graph, initializers } } });
}

/** A method that PEFT has as an optimizer of LoRA freezes what LoRA would train. */
const withFrozen = (adapter: LayerAdapter, frozen: ReadonlySet<string>): LayerAdapter => ({
  ...adapter,
  tensors: adapter.tensors.map((t) =>
    frozen.has(peftKey(pytorchPathOf(adapter.layer), t.peftName)) ? { ...t, frozen: true } : t,
  ),
});

/** The modules, ranks and alphas that targets and patterns give by PEFT's rules must be those of the file. */
function compareTargets(
  report: Comparison,
  c: PeftCase,
  { config }: AdapterFolder,
  { layers }: BaseModel,
  adapters: readonly LayerAdapter[],
  spec: TrainedSpec,
): void {
  const classPaths = new Map(Object.entries(c.namesInFolder ?? {}).map(([own, stored]) => [stored, own]));
  const pathOf = (layer: LayerAdapter['layer']) =>
    classPaths.get(pytorchPathOf(layer)) ?? pytorchPathOf(layer);
  report.names(
    'modules',
    adapters.map((a) => pathOf(a.layer)),
    c.modules,
  );
  const asWritten = {
    ...spec,
    targetModules: c.targets,
    rankPattern: config.rank_pattern ?? {},
    alphaPattern: config.alpha_pattern ?? {},
  } as TrainedSpec;
  const named = layers.map((layer) => ({ ...layer, path: pathOf(layer) }));
  const embeddings = adapters.filter((a) => a.layer.isEmbedding);
  // Rows of the embedding are chosen by their own setting, which has been imported.
  const chosen =
    embeddings.length < adapters.length
      ? selectLayers(named, { outputs: [], unreached: [] }, asWritten).adapters
      : [];
  const words = (path: string, own: TrainedSpec): string =>
    [
      path,
      ...(isRanked(own) ? [`rank ${own.rank}`] : []),
      ...('alpha' in own ? [`alpha ${own.alpha}`] : []),
    ].join(' ');
  report.names(
    'targets',
    [...chosen, ...embeddings.map((a) => ({ ...a, layer: { ...a.layer, path: pathOf(a.layer) } }))].map((a) =>
      words(a.layer.path, a.spec),
    ),
    adapters.map((a) => words(pathOf(a.layer), a.spec)),
  );
}

/** The fields that are compared, under the names of the graph; unknown names stay, and fail. */
function ownNames(c: PeftCase, adapters: readonly LayerAdapter[]): ReferenceCase {
  const modules = new Map<string, string>();
  const tensors = new Map<string, string>();
  for (const a of adapters) {
    modules.set(pytorchPathOf(a.layer), a.layer.path);
    for (const t of a.tensors)
      tensors.set(peftKey(pytorchPathOf(a.layer), t.peftName), tensorName(a, t.name));
  }
  const inFolder = (path: string) => c.namesInFolder?.[path] ?? path;
  const module = (path: string) => modules.get(inFolder(path)) ?? path;
  const folderKey = (key: string): string => {
    const renamed = Object.entries(c.namesInFolder ?? {}).find(([path]) => key.startsWith(peftKey(path, '')));
    return renamed ? peftKey(renamed[1], key.slice(peftKey(renamed[0], '').length)) : key;
  };
  const tensor = (key: string) => tensors.get(key) ?? tensors.get(folderKey(key)) ?? key;
  const step = <S extends Pick<StepFields, 'gradients'>>(fields: S): S => ({
    ...fields,
    gradients: renamed(fields.gradients, tensor),
  });
  return {
    ...step(c),
    modules: adapters.map((a) => a.layer.path),
    trainable: renamed(c.trainable, tensor),
    mergedDelta: renamed(c.mergedDelta, module),
    ...(c.mergedBiasDelta && { mergedBiasDelta: renamed(c.mergedBiasDelta, module) }),
    trainedNorms: renamed(c.trainedNorms, tensor),
    otherShapes: (c.otherShapes ?? []).map(step),
    adamw: {
      ...c.adamw,
      ...(c.adamw.afterEachStep && {
        afterEachStep: c.adamw.afterEachStep.map((at) => ({ ...at, E: renamed(at.E, withPrefix(tensor)) })),
      }),
    },
    ...(c.trained && { trained: renamed(c.trained, tensor) }),
    ...(c.loraFaOptimizer && {
      loraFaOptimizer: { ...c.loraFaOptimizer, trained: renamed(c.loraFaOptimizer.trained, tensor) },
    }),
  };
}

/** Names in `afterEachStep` lack PEFT's prefix. */
const withPrefix =
  (tensor: (key: string) => string) =>
  (key: string): string =>
    tensor(peftKey(key, '').slice(0, -1));

const renamed = <T>(values: Record<string, T>, name: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [name(key), value]));
