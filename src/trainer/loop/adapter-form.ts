import { inForm } from '../../adapters/targets/select';
import type { AdapterForm } from '../../adapters/methods/method';
import { NOTHING_YET } from './early-stopping';
import type { TrainingState } from './loop';
import type { Plan } from './plan';
import type { Task } from '../task/task';

/** A task with its adapters in a form. */
export function taskInForm(task: Task, form: AdapterForm): Task {
  const adapters = inForm(task.adapters, form);
  return { ...task, adapters, graph: { ...task.graph, adapters } };
}

/** The form that the step after `step` trains. */
export const nextForm = (plan: Plan, step: number): AdapterForm =>
  step < plan.staticFrom ? 'dynamic' : 'static';

/** Where the static form begins, the best is looked for anew: that of another function would be no measure for it. */
export function beginStaticForm(state: TrainingState): void {
  state.best = undefined;
  state.stopping.load(NOTHING_YET);
}
