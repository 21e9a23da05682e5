import * as vscode from 'vscode';
import { DEFAULT_TASK, describeTask, TASKS, type TaskName } from '../../experiment/tasks/registry';
import { pick, type Step } from '../ask/steps';
import type { WizardState } from './state';

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
      active: items.find((i) => i.name === (state.task ?? DEFAULT_TASK)),
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
