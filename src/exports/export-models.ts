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
import type { Trained } from '../training/checkpoint/trained-run';
import { fitOf } from '../training/fit/fit-run';
import { fittedTask } from '../training/fit/fitted-task';
import { taskInForm } from '../training/loop/adapter-form';
import { withoutAdapters } from '../training/task/adapted-model';
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
}

export interface ModelChoice {
  form: ExportForm;
  merge: MergeChoice;
  emit: (line: ExportLine) => void | Promise<void>;
}

/**
 * Chooses the adapters and parameters of an export: the trained ones, or in a merged form of AuroRA those that stand for
 * them.
 *
 * @throws AuroraError if the form needs the fit and it cannot be computed
 */
export async function exportModels(trained: Trained, choice: ModelChoice): Promise<ExportModels> {
  const { task, parameters } = trained;
  const asTrained: ExportModel = { row: 'trained', load: () => trained };
  const removed: ExportModel = {
    row: 'removed',
    load: () => ({ ...trained, parameters: withoutAdapters(task.adapters, parameters) }),
  };
  const bare = task.adapters.length > 0 ? [removed] : [];
  // The static form of AuroRA is a low-rank product itself.
  if (!isNonlinear(task.spec.adapter) || trained.form === 'static')
    return { models: [asTrained, ...bare], written: asTrained };
  const fitted = await fittedModel(trained, choice);
  const paper: ExportModel = {
    row: 'paper',
    load: () => ({ ...trained, task: taskInForm(task, 'static'), form: 'static' }),
  };
  const models = [asTrained, ...(fitted ? [fitted.model] : []), paper, ...bare];
  if (!isMergedForm(choice.form)) return { models, written: asTrained };
  return choice.merge === 'fitted'
    ? { models, written: fitted!.model, merge: 'fitted', fit: fitted!.fit }
    : { models, written: paper, merge: 'paper' };
}

/** Undefined if it cannot be computed and is not what is written. */
async function fittedModel(
  trained: Trained,
  { form, merge, emit }: ModelChoice,
): Promise<{ model: ExportModel; fit: ExportedFit } | undefined> {
  const { task, parameters, run, step } = trained;
  const biasOf = biasesIn(form, trained);
  try {
    const fit = await fitOf(run.folder, step, { emit });
    const withBias = task.adapters.filter((a) => biasOf(a.layer)).length;
    return {
      model: {
        row: 'fitted',
        load: () => ({ ...trained, ...fittedTask(task, parameters, fit, { biasOf }) }),
      },
      fit: { tokens: fit.tokens, seed: fit.seed, layers: task.adapters.length, withBias },
    };
  } catch (e) {
    if (!(e instanceof AuroraError) || (isMergedForm(form) && merge === 'fitted')) throw e;
    await emit({ kind: 'not-fitted', reason: e.message });
    return undefined;
  }
}

/** Finds the layers with a place for the constant of the fit in the files of a form. */
function biasesIn(
  form: ExportForm,
  { task }: Trained,
): (layer: LinearLayer) => boolean {
  const { source, adapters } = task;
  const hasBias = ({ bias }: LinearLayer) => bias !== undefined;
  switch (form) {
    case 'peft-lora': {
      // PEFT has one setting for all layers, and merges a bias only into another one. diffusers' LoRA has none.
      const all = source.kind !== 'pipeline' && adapters.every(({ layer }) => hasBias(layer));
      return () => all;
    }
    case 'safetensors':
      return hasBias;
    case 'onnx-merged':
      return takesBias(task);
    default:
      return () => true;
  }
}
