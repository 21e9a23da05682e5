import * as vscode from 'vscode';
import { DEFAULT_TASK, describeTask, TASKS, taskWith, type TaskName } from '../../experiment/tasks/registry';
import { pick, type Step } from '../ask/steps';
import type { WizardState } from './state';

/** A model with one input of four axes reads images. */
function likelyTask({ summary }: WizardState): TaskName {
  const { inputs } = summary!;
  const images = inputs.length === 1 && inputs[0].shape?.length === 4;
  return (images ? taskWith({ input: 'image', answer: 'label' }) : undefined) ?? DEFAULT_TASK;
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
