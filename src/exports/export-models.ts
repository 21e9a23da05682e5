import type { LinearLayer } from '../graph/layers/linear';
import { AuroraError } from '../base/errors';
import { isNonlinear } from '../experiment/methods';
import {
  isMergedForm,
  type ExportedFit,
  type ExportForm,
  type ExportLine,
  type MeasuredModel,
  type MergeChoice,
} from '../protocol/export';
import type { Refinement } from '../protocol/refinement';
import type { Trained } from '../training/checkpoint/trained-run';
import { fitOf } from '../training/fit/fit-run';
import { fittedTask } from '../training/fit/fitted-task';
import { taskInForm } from '../training/loop/adapter-form';
import { withoutAdapters } from '../training/task/adapted-model';
import type { Task } from '../training/task/task';
import { takesBias } from './merged';

/** A model that an export measures: a row of its report. */
export interface ExportModel {
  row: Exclude<MeasuredModel, 'exported'>;
  /** Its task and parameters; they may be as large as the model. */
  load: () => Trained;
}

/** The models that an export measures, in order, and the one that it writes. */
export interface ExportModels {
  models: readonly ExportModel[];
  written: ExportModel;
  /** Set if the written one is not the trained one. */
  merge?: MergeChoice;
  fit?: ExportedFit;
  /** Set if the written one is the fit, trained further. */
  refinement?: Refinement;
}

export interface ModelChoice {
  form: ExportForm;
  /** The replacement of AuroRA's σ in a merged form. */
  merge: MergeChoice;
}

/** The replacement of AuroRA's σ in a form; undefined if there is nothing to replace. */
export const mergeIn = (
  { task, form: trainedForm }: Trained,
  { form, merge }: ModelChoice,
): MergeChoice | undefined =>
  // The static form is a low-rank product itself.
  isMergedForm(form) && isNonlinear(task.spec.adapter) && trainedForm === 'dynamic' ? merge : undefined;

/**
 * Chooses the adapters and parameters of an export: the trained ones, or in a merged form of AuroRA those that stand for
 * them.
 *
 * @throws AuroraError if the form needs the fit and it cannot be computed
 */
export async function exportModels(
  trained: Trained,
  choice: ModelChoice,
  emit: (line: ExportLine) => void | Promise<void>,
): Promise<ExportModels> {
  const { task, parameters } = trained;
  const asTrained: ExportModel = { row: 'trained', load: () => trained };
  const removed: ExportModel = {
    row: 'removed',
    load: () => ({ ...trained, parameters: withoutAdapters(task.adapters, parameters) }),
  };
  const bare = task.adapters.length > 0 ? [removed] : [];
  if (!isNonlinear(task.spec.adapter) || trained.form === 'static')
    return { models: [asTrained, ...bare], written: asTrained };
  const merge = mergeIn(trained, choice);
  const fitted = await fittedModel(trained, choice.form, emit, merge === 'fitted');
  const paper: ExportModel = {
    row: 'paper',
    load: () => ({ ...trained, task: taskInForm(task, 'static'), form: 'static' }),
  };
  const models = [asTrained, ...(fitted ? [fitted.model] : []), paper, ...bare];
  switch (merge) {
    case 'fitted':
      return { models, written: fitted!.model, merge, fit: fitted!.fit };
    case 'paper':
      return { models, written: paper, merge };
    case undefined:
      return { models, written: asTrained };
  }
}

/**
 * @param isNeeded true if it is written, and not only measured
 * @returns undefined if it cannot be computed and is not needed
 */
async function fittedModel(
  trained: Trained,
  form: ExportForm,
  emit: (line: ExportLine) => void | Promise<void>,
  isNeeded: boolean,
): Promise<{ model: ExportModel; fit: ExportedFit } | undefined> {
  const { task, parameters, run, step } = trained;
  const biasOf = biasesIn(form, task);
  try {
    const fit = await fitOf(run.folder, step, { emit, trained });
    const { seed, layers } = fit;
    return {
      model: {
        row: 'fitted',
        load: () => ({ ...trained, ...fittedTask(task, parameters, fit, { biasOf }) }),
      },
      fit: {
        tokens: Math.min(...layers.map(({ tokens }) => tokens)),
        seed,
        layers: layers.length,
        withBias: task.adapters.filter(({ layer }) => biasOf(layer)).length,
      },
    };
  } catch (e) {
    if (!(e instanceof AuroraError) || isNeeded) throw e;
    await emit({ kind: 'not-fitted', reason: e.message });
    return undefined;
  }
}

/** Finds the layers with a place for the constant of the fit in the files of a form. */
function biasesIn(form: ExportForm, task: Task): (layer: LinearLayer) => boolean {
  const { source, adapters } = task;
  const hasBias = ({ bias }: LinearLayer) => bias !== undefined;
  switch (form) {
    case 'peft-lora': {
      // PEFT has one setting for all layers, and merges a bias only into another one. diffusers' LoRA has none.
      const all = source.kind !== 'pipeline' && adapters.every(({ layer }) => hasBias(layer));
      return () => all;
    }
    case 'kohya':
      return () => false;
    case 'safetensors':
    case 'gguf':
      return hasBias;
    case 'gguf-lora':
      return () => false;
    case 'onnx-merged':
      return takesBias(task);
    default:
      return () => true;
  }
}
