import * as vscode from 'vscode';
import { DEFAULT_TASK, describeTask, TASKS, taskWith, type TaskName } from '../../experiment/tasks/registry';
import { pick, type Step } from '../ask/steps';
import type { WizardState } from './state';

/** Logits of so many classes for each token are those of a vocabulary. */
const VOCABULARY = 256;

/** A model with one input of four axes reads images; one whose only output has a vocabulary's logits writes texts. */
function likelyTask({ summary }: WizardState): TaskName {
  const { inputs, outputs } = summary!;
  const images = inputs.length === 1 && inputs[0].shape?.length === 4;
  if (images) return taskWith({ input: 'image', answer: 'label' })!;
  const [{ name, shape }] = outputs;
  const writes =
    outputs.length === 1 && /logits/i.test(name) && shape?.length === 3 && Number(shape[2]) >= VOCABULARY;
  return writes ? taskWith({ input: 'text', answer: 'text' })! : DEFAULT_TASK;
}

/** What is learned of each text, which decides the columns that are needed. */
export const taskStep: Step<WizardState> = {
  applies: () => true,
  async run(state, place) {
    const { t } = vscode.l10n;
    const items = (Object.keys(TASKS) as TaskName[]).map((name) => {
      const { title, detail } = describeTask(name);
      return { label: t(title), detail: t(detail), name };
    });
    const picked = await pick(place, {
      items,
      placeholder: t('Select the kind of task'),
      active: items.find((i) => i.name === (state.task ?? likelyTask(state))),
    });
    if (typeof picked === 'string') return picked;
    const [{ name }] = picked;
    if (state.task !== name) {
      delete state.output;
      delete state.columns;
      delete state.adapter;
    }
    state.task = name;
    return 'next';
  },
};
