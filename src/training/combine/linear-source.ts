import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isCombinable } from '../../adapters/combine/combinable';
import { ownValues } from '../../adapters/merge';
import { layerValues } from '../../adapters/methods/layer-values';
import { LORA_BIAS } from '../../adapters/methods/lora';
import { adapterScale, methodOf } from '../../adapters/methods/registry';
import type { LayerAdapter } from '../../adapters/targets/select';
import type { LowRank } from '../../adapters/update-geometry';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { isHeadAlone, isNonlinear, METHOD_NAMES, METHOD_ORDER, methodName } from '../../experiment/methods';
import { adaptedConvolutions } from '../../peft/adapted-convolutions';
import { readAdapterFolder } from '../../peft/adapter-folder';
import { LORA_FILE } from '../../peft/diffusers-lora-file';
import { fitAdapter } from '../../peft/fit';
import { loraFileAt } from '../../peft/lora-file';
import { type OwnWords, WEIGHTS_FILE } from '../../peft/peft-adapter';
import type { FitProgress } from '../../protocol/linear-fit';
import { outputsOf } from '../../protocol/outputs';
import { runPaths } from '../../runs/layout';
import { readNotes } from '../../runs/user';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../tasks/head';
import { type At, openTrained } from '../checkpoint/trained-run';
import { fitOf } from '../fit/fit-run';
import { fittedTask } from '../fit/fitted-task';
import { workFolder } from '../process/leftovers';
import { type BaseModel, withLinear } from '../task/adapted-model';

/** An adapter whose change of each module is a low-rank product, as it is combined with others. */
export interface LinearSource {
  /** As on the command line. */
  given: string;
  /** The user's name for a run, or the name of the folder. */
  name: string;
  /** By the path of the layer. */
  modules: Map<string, LinearModule>;
  head?: TrainedHead;
  dropout: number;
  /** Only of runs. */
  run?: { folder: string; spec: Experiment; step: number };
  /** True if AuroRA's nonlinearity was replaced by its linear fit. */
  isFitted: boolean;
  /** Remarks on its files. */
  warnings: string[];
}

/** ΔW = scale · B·A of a layer, and scale · bias. */
export interface LinearModule extends LowRank {
  bias?: Float32Array;
  inFeatures: number;
  outFeatures: number;
}

/** A trained head, and the meaning of its inputs and outputs. */
export interface TrainedHead {
  /** (labels, hidden) */
  weight: Float32Array;
  bias: Float32Array;
  /** Undefined if the adapter's folder does not state it. */
  own?: OwnWords;
  /** The tensor that it reads; undefined for an adapter's folder. */
  output?: string;
}

/** True if a folder holds a run rather than an adapter. */
export const isRun = (folder: string): boolean => existsSync(runPaths(folder).spec);

export interface SourceOptions {
  at: At;
  /** True if the combination has a rule for biases: the fit of AuroRA has them where every layer has one. */
  withBiases: boolean;
  emit: (line: FitProgress) => void | Promise<void>;
}

/**
 * The adapter of a run, AuroRA with its linear fit, which is made if it is not kept yet.
 *
 * @throws AuroraError 'adapter' for a method that is no low-rank product, 'run' if the run has no such state, 'inputs' if
 *   the fit needs training data that are missing or have changed
 */
export async function sourceOfRun(
  given: string,
  { at, withBiases, emit }: SourceOptions,
): Promise<LinearSource> {
  const { path: work, remove } = workFolder(given, 'combine');
  try {
    const trained = await openTrained(given, at, work, (kind) => kind.withoutRows);
    const { run, step, form, labels, inputs } = trained;
    const { adapter, task: settings } = run.spec;
    if (isHeadAlone(adapter)) throw notLinear(given, 'only a head');
    if (!isCombinable(adapter)) throw notLinear(given, methodName(adapter));
    const isFitted = isNonlinear(adapter) && form === 'dynamic';
    // As in an export to PEFT, which has one setting for all layers.
    const biases = withBiases && trained.task.adapters.every(({ layer }) => layer.bias !== undefined);
    const { task, parameters } = isFitted
      ? fittedTask(trained.task, trained.parameters, await fitOf(given, at, { emit, trained }), {
          biasOf: () => biases,
        })
      : trained;
    const weight = parameters.get(HEAD_WEIGHT);
    const head = weight && {
      weight,
      bias: parameters.get(HEAD_BIAS)!,
      own: {
        ...outputsOf({ labels, scale: trained.task.data.scale }),
        pooling: trained.task.head?.pooling ?? ('none' as const),
      },
      output: trained.task.graph.output,
    };
    return {
      given,
      name: readNotes(given).name ?? basename(given),
      modules: modulesOf(given, task.adapters, parameters),
      ...(head && settings.head === 'linear' && { head }),
      dropout: 'dropout' in adapter ? adapter.dropout : 0,
      run: { folder: given, spec: run.spec, step },
      isFitted,
      warnings: inputs.changed.map((change) => `${given}: ${change}`),
    };
  } finally {
    remove();
  }
}

/**
 * An adapter in PEFT's layout, or a LoRA in one file, on the model that it belongs to.
 *
 * @param base with convolutions as they are: those of single pixels that the adapter is on become linear layers here
 * @throws AuroraError 'adapter' if it does not fit, or is no low-rank product
 */
export function sourceOfFolder(given: string, base: BaseModel): LinearSource {
  const from = readAdapterFolder(given);
  const convolutions = adaptedConvolutions(base.original.graph, [from]);
  const { model, layers } = convolutions.size > 0 ? withLinear(base, convolutions) : base;
  const { spec, adapters, parameters, head } = fitAdapter(from, model.graph, layers);
  if (!isCombinable(spec)) throw notLinear(given, methodName(spec));
  if (isNonlinear(spec) && adapters[0].form !== 'static')
    throw new AuroraError(
      'adapter',
      `${given} is an adapter with a nonlinearity, and the folder has no linear fit of it.`,
      'Give the run that it was exported from, or export the run with --as peft-lora and give that folder.',
    );
  return {
    given,
    name: basename(given),
    modules: modulesOf(given, adapters, parameters),
    ...(head && {
      head: {
        weight: head.weight.data,
        bias: head.bias?.data ?? new Float32Array(head.weight.dims[0]),
        own: from.own,
      },
    }),
    dropout: 'dropout' in spec ? spec.dropout : 0,
    isFitted: false,
    warnings: [],
  };
}

/** @throws AuroraError 'adapter' for layers that were trained besides */
function modulesOf(
  given: string,
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
): Map<string, LinearModule> {
  const saved = adapters.find((a) => a.beside);
  if (saved)
    throw notLinear(given, `${saved.layer.path} besides (adapter.modulesToSave or trainableTokenIndices)`);
  return new Map(
    adapters.map((adapter) => {
      const { inFeatures, outFeatures, path } = adapter.layer;
      const method = methodOf(adapter.spec);
      const values = ownValues(adapter, parameters);
      const { A, B } = method.lowRank!(values, adapter, layerValues(adapter.layer));
      const bias = values[LORA_BIAS] as Float32Array | undefined;
      const pair = { A, B, rank: A.length / inFeatures, scale: adapterScale(adapter.spec) };
      return [path, { ...pair, ...(bias && { bias }), inFeatures, outFeatures }];
    }),
  );
}

const COMBINED = METHOD_ORDER.filter((method) => methodOf({ method }).lowRank)
  .map((method) => METHOD_NAMES[method])
  .join(', ');

const notLinear = (given: string, what: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${given} trained ${what}, whose change of the weights is no low-rank product, so it cannot be combined.`,
    `Combine runs of ${COMBINED}, or adapters of PEFT.`,
  );

/** @throws AuroraError 'usage' for a folder that is neither a run nor an adapter */
export function requireSource(given: string): void {
  if (isRun(given) || existsSync(join(given, WEIGHTS_FILE)) || loraFileAt(given, WEIGHTS_FILE) !== undefined)
    return;
  throw new AuroraError(
    'usage',
    `${given} is neither a run nor a folder with ${WEIGHTS_FILE} or ${LORA_FILE}, nor a LoRA file.`,
    'Give run folders, such as .aurora/runs/mine/<run>, or folders of adapters in PEFT’s or diffusers’ layout.',
  );
}
