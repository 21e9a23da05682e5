import { inForm } from '../../adapters/targets/select';
import type { AdapterForm } from '../../adapters/methods/method';
import { NOTHING_YET } from './early-stopping';
import type { TrainingState } from './loop';
import type { Plan } from './training-plan';
import type { Task } from '../task/task';

/** A task with its adapters in the given form. */
export function taskInForm(task: Task, form: AdapterForm): Task {
  const adapters = inForm(task.adapters, form);
  return { ...task, adapters, graph: { ...task.graph, adapters } };
}

/** The form that the step after `step` trains. */
export const nextForm = (plan: Plan, step: number): AdapterForm =>
  step < plan.staticFrom ? 'dynamic' : 'static';

/**
 * When the static form starts, the best is tracked from scratch: the dynamic form's best belongs to another function.
 */
export function beginStaticForm(state: TrainingState): void {
  state.best = undefined;
  state.stopping.load(NOTHING_YET);
}
