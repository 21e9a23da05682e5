import * as vscode from 'vscode';
import { kindOf, wayAround } from '../../adapters/model-words';
import { t } from '../../base/l10n';
import { count } from '../../base/number-text';
import { readsImages } from '../../experiment/image-inputs';
import { DEFAULT_TASK, describeTask, type TaskName, taskWith } from '../../experiment/tasks/registry';
import { stepSettings, stepText } from '../../protocol/reports/step-words';
import { hubRecipe } from '../../recipes/data/hub-sets';
import { always, type Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import type { KnownModel } from '../models/known-model';
import { operatorRows } from '../tree/model-rows';
import { shownName } from './hub-files';
import { possibleTasks } from './possible-tasks';
import type { WizardState } from './wizard-state';

/** Logits of so many classes for each token are those of a vocabulary. */
const VOCABULARY = 256;

/**
 * The task of one of the paper's data sets; a model with a timestep draws pictures, and one with one input of four axes
 * reads images; one whose only output has a vocabulary's logits writes texts.
 */
function likelyTask({ summary, train }: WizardState, possible: readonly TaskName[]): TaskName {
  const known = train === undefined ? undefined : hubRecipe(train);
  if (known && possible.includes(known.task.value)) return known.task.value;
  const { inputs, outputs } = summary!;
  if (inputs.some(({ name }) => name === 'timestep')) return taskWith({ input: 'text', answer: 'picture' })!;
  if (readsImages(inputs)) return taskWith({ input: 'image', answer: 'label' })!;
  const [{ name, shape }] = outputs;
  const writes =
    outputs.length === 1 && /logits/i.test(name) && shape?.length === 3 && Number(shape[2]) >= VOCABULARY;
  return writes ? taskWith({ input: 'text', answer: 'text' })! : DEFAULT_TASK;
}

interface TaskItem extends vscode.QuickPickItem {
  name?: TaskName;
}

/**
 * Asks for the answer to learn for each text, which decides the columns that are needed. Above the kinds is a row with
 * the model's facts, which lets a person choose another model.
 */
export const taskStep = (chooseModel: Step<WizardState>['run']): Step<WizardState> => ({
  ...always,
  async run(state, place) {
    const possible = possibleTasks(state.summary!);
    const items = possible.map((name): TaskItem => {
      const { title, detail } = describeTask(name);
      return { label: t(title), detail: t(detail), name };
    });
    const picked = await pick<TaskItem>(place, {
      items: [...modelItems(state), separator(t('Kind of task')), ...items],
      placeholder: t('Select the kind of task'),
      active: items.find((i) => i.name === (state.task ?? likelyTask(state, possible))),
    });
    if (typeof picked === 'string') return picked;
    const [{ name }] = picked;
    if (name === undefined) {
      const outcome = await chooseModel(state, place);
      return outcome === 'cancel' ? outcome : this.run(state, place);
    }
    if (state.task !== name) {
      delete state.output;
      delete state.columns;
      delete state.adapter;
    }
    state.task = name;
    return 'next';
  },
});

/** "roberta · 124,055,040 parameters · 72 layers to adapt". */
function modelText(model: KnownModel): string {
  const layers = model.layers.length;
  return [
    kindOf(model),
    t('{0} parameters', count(model.parameters)),
    layers === 1 ? t('1 layer to adapt') : t('{0} layers to adapt', count(layers)),
  ].join(' · ');
}

/** The model as read, and each operator without a gradient. */
function modelItems({ model, summary }: WizardState): TaskItem[] {
  const { step } = summary!;
  const text = step && stepText(step);
  return [
    separator(t('Model')),
    {
      label: `$(package) ${shownName(model!)}`,
      description: modelText(summary!),
      detail: text && t('A training step takes {0} ({1})', text, stepSettings(step!)),
    },
    ...operatorRows(summary!).map(({ label, description, tooltip }) => ({
      label: `$(warning) ${label}`,
      description,
      detail: wayAround(summary!),
      tooltip,
    })),
  ];
}

const separator = (label: string): TaskItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
