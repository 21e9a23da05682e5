import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { formName, formWords, mergeWords } from '../../protocol/export-forms';
import { t } from '../../base/l10n';
import { HEAD_ALONE, isHeadAlone, isNonlinear } from '../../experiment/methods';
import { describeTask } from '../../experiment/tasks/registry';
import { modelKind } from '../../files/model-path';
import { betterAnswer, worseWords } from '../../protocol/baseline';
import { EXPORT_FORMS, type ExportForm, isMergedForm, MERGES, TENSORBOARD } from '../../protocol/export';
import { experimentName, runPaths, stepName } from '../../runs/layout';
import { runLabel } from '../../runs/run-labels';
import { namesOf } from '../ask/pick';
import { askText } from '../messages/input';
import { notify } from '../messages/notify';
import { bestEvaluation, checkpointSteps } from '../runs/label';
import { isTreeNode } from '../runs/nodes';
import type { RunEntry } from '../runs/store';

/** Asks before a model is passed on that a constant answer would beat. */
export async function evenIfWorse(runs: readonly RunEntry[]): Promise<boolean> {
  const worse = runs.flatMap((entry) => {
    const better = entry.run && betterAnswer(entry.run);
    return better ? [{ entry, words: worseWords(better) }] : [];
  });
  if (worse.length === 0) return true;
  const anyway = t('Export Anyway');
  const [question, detail] =
    runs.length === 1
      ? [
          t('Export a run that is worse than a constant answer?'),
          t('Its best evaluation is {0}, which needs no model.', worse[0].words),
        ]
      : [
          t('Export runs that are worse than a constant answer?'),
          t(
            'The best evaluation is worse than that of an answer without a model: {0}.',
            namesOf(worse.map(({ entry }) => entry)),
          ),
        ];
  return (await notify.warning(question, { modal: true, detail }, anyway)) === anyway;
}

/** Asks about a run that is published. */
export async function publishEvenIfWorse({ run }: RunEntry): Promise<boolean> {
  const better = run && betterAnswer(run);
  if (!better) return true;
  const anyway = t('Publish Anyway');
  const question = t('Publish a run that is worse than a constant answer?');
  const detail = t('Its best evaluation is {0}, which needs no model.', worseWords(better));
  return (await notify.warning(question, { modal: true, detail }, anyway)) === anyway;
}

export interface Picked {
  form: ExportForm | typeof TENSORBOARD;
  /** Further options of the command. */
  options: readonly string[];
}

/** A form that all of the runs can be exported in. */
export async function pickForm(runs: readonly RunEntry[]): Promise<Picked | undefined> {
  const adapters = runs.map(({ run }) => run?.spec.adapter ?? HEAD_ALONE);
  const areFolders = runs.every(({ run }) => modelKind(run?.spec.model.path ?? '') !== 'onnx');
  const arePipelines = runs.every(({ run }) => modelKind(run?.spec.model.path ?? '') === 'pipeline');
  const areLanguageModels = runs.every(isLanguageFolder);
  const forms = EXPORT_FORMS.filter((form) => {
    switch (form) {
      case 'peft-lora':
        return !adapters.some(isHeadAlone);
      case 'kohya':
        return arePipelines;
      case 'safetensors':
        return areFolders;
      case 'gguf-lora':
      case 'gguf':
        return areLanguageModels;
      default:
        return true;
    }
  });
  const itemOf = (form: ExportForm) => ({
    label: formName(form),
    description: form,
    detail: formWords(form, adapters.some(isNonlinear)),
    form,
    options: [] as string[],
  });
  const again = {
    ...itemOf('onnx-merged'),
    label: t('Merged ONNX model, quantized again'),
    detail: t(
      'The quantized model with the adapter merged into its weights. The error that this adds is measured.',
    ),
    options: ['--requantize'],
  };
  const isQuantized = runs.every(({ run }) => run?.spec.model.quantize !== undefined);
  const inBits = {
    ...itemOf('gguf'),
    label: t('GGUF model, 8 bits'),
    detail: t('The same in half the size (Q8_0). The error that this adds is measured.'),
    options: ['--precision', 'q8_0'],
  };
  const items = forms.flatMap((form) => {
    if (form === 'onnx-merged' && isQuantized) return [itemOf(form), again];
    return form === 'gguf' ? [itemOf(form), inBits] : [itemOf(form)];
  });
  const events = {
    label: t('TensorBoard event file'),
    description: TENSORBOARD,
    detail: t('The run’s curves, evaluations and settings.'),
    form: TENSORBOARD,
    options: [] as string[],
  } as const;
  const title =
    runs.length === 1 ? t('Export {0} as', runLabel(runs[0])) : t('Export {0} runs as', runs.length);
  const picked = await vscode.window.showQuickPick<vscode.QuickPickItem & Picked>([...items, events], {
    title,
    ignoreFocusOut: true,
  });
  if (!picked || picked.form === TENSORBOARD || !isMergedForm(picked.form) || !adapters.some(isNonlinear))
    return picked;
  const merge = await pickMerge(runs);
  return merge && { ...picked, options: [...picked.options, ...merge] };
}

/** True for a language model that is a folder from the hub, which GGUF files are made of. */
const isLanguageFolder = ({ run }: RunEntry): boolean =>
  run !== undefined &&
  modelKind(run.spec.model.path) === 'hub' &&
  describeTask(run.spec.task.type).modelClass === 'ForCausalLM';

/** @returns options of the command; undefined if the user canceled */
async function pickMerge(runs: readonly RunEntry[]): Promise<readonly string[] | undefined> {
  const items = MERGES.map((merge) => ({
    label: merge === 'fitted' ? t('Fitted') : t('The paper’s merge'),
    detail: mergeWords(merge),
    options: ['--merge', merge],
  }));
  const refined = {
    label: t('Fitted and refined…'),
    detail: t('The fit is trained further on the run’s task. The time that this takes is measured first.'),
  };
  const title = t('Select what replaces AuroRA’s nonlinearity');
  const [fitted, ...others] = items;
  const picked = await vscode.window.showQuickPick([fitted, refined, ...others], {
    title,
    ignoreFocusOut: true,
  });
  if (picked !== refined) return items.find((item) => item === picked)?.options;
  const steps = await askSteps(runs[0]);
  return steps === undefined ? undefined : ['--refine', steps];
}

/** A whole number in text, as in an input box. */
const WHOLE = /^[1-9]\d{0,6}$/;

/** Steps of refining; an epoch by default. */
async function askSteps({ run }: RunEntry): Promise<string | undefined> {
  const started = run?.events.find((e) => e.kind === 'started');
  const text = await askText({
    title: t('Refine the Fit'),
    prompt: t('Training steps; by default, an epoch'),
    value: started ? String(Math.ceil(started.steps / started.epochs)) : '',
    ignoreFocusOut: true,
    validateInput: (given) =>
      WHOLE.test(given.trim()) ? undefined : t('Enter a whole number of at least 1.'),
  });
  return text?.trim();
}

/**
 * The form in which the adapter of a run is published.
 *
 * @returns options of the command; undefined if the user canceled
 */
export async function pickPublishedForm({ run }: RunEntry): Promise<readonly string[] | undefined> {
  if (!run || !isNonlinear(run.spec.adapter)) return [];
  const items = [
    {
      label: formName('peft-lora'),
      detail: `${t('PEFT and diffusers load it.')} ${mergeWords('fitted')} ${t('The loss is measured and shown.')}`,
      options: ['--as', 'peft-lora'],
    },
    {
      label: formName('adapter'),
      detail: t('Exactly as trained, with a loader for PyTorch. PEFT and diffusers do not load it.'),
      options: ['--as', 'adapter'],
    },
  ];
  const title = t('Select what to publish');
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.options;
}

/**
 * The folder for the export of each run; undefined if the user canceled.
 *
 * @returns the new folder of a run in the chosen folder; undefined for the run's own folder
 */
export async function pickPlace(
  runs: readonly RunEntry[],
  form: Picked['form'],
): Promise<((entry: RunEntry, at: string) => string | undefined) | undefined> {
  const isEvents = form === TENSORBOARD;
  const isOne = runs.length === 1;
  const paths = runPaths(runs[0].folder);
  const own = {
    label: `$(folder) ${isOne ? t('In the run folder') : t('In the run folders')}`,
    ...(isOne && { detail: isEvents ? paths.tensorboard : paths.exports }),
  };
  const other = {
    label: `$(folder-opened) ${t('Choose a folder…')}`,
    detail: isOne
      ? t('The export is written to a new subfolder.')
      : t('Each export is written to a new subfolder.'),
  };
  const title = isOne ? t('Select where to write the export') : t('Select where to write the exports');
  const picked = await vscode.window.showQuickPick([own, other], { title, ignoreFocusOut: true });
  if (picked === own) return () => undefined;
  if (picked !== other) return undefined;
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: t('Export Here'),
  });
  return chosen && ((entry, at) => join(chosen[0].fsPath, folderName(entry, form, at, isOne)));
}

/** TensorBoard names a run by its folder; several runs may have the same experiment and step. */
function folderName({ experiment, folder }: RunEntry, form: Picked['form'], at: string, isOne: boolean) {
  const run = `${experimentName(basename(experiment))}-${basename(folder)}`;
  if (form === TENSORBOARD) return run;
  const step = /^\d+$/.test(at) ? stepName(Number(at)) : at;
  return `${isOne ? experimentName(basename(experiment)) : run}-${form}-${step}`;
}

/** True if it has learned something that is saved. */
export const isExportable = ({ run }: RunEntry): boolean =>
  run !== undefined && (bestEvaluation(run) !== undefined || checkpointSteps(run).length > 0);

/** The run's state that a row represents, as for --at. */
export function stateOf({ run }: RunEntry, argument: unknown): string {
  if (isTreeNode(argument) && argument.kind === 'checkpoint') return String(argument.step);
  if (isTreeNode(argument) && argument.kind === 'adapter') return argument.which;
  return run && bestEvaluation(run) ? 'best' : 'last';
}
