import type { Experiment } from '../../shared/experiment';
import type { Problem } from './source';

/** What a schema cannot say: values that are right one by one but not together. */
export function ruleProblems({ adapter, task, training }: Experiment): Problem[] {
  const problems: Problem[] = [];
  if (adapter.method === 'aurora') {
    const [low, high] = adapter.gridRange;
    if (!(low < high))
      problems.push({
        path: ['adapter', 'gridRange'],
        message: `adapter.gridRange is [${low}, ${high}], expected its lower end first`,
      });
    if (!adapter.fixed && !adapter.learnable)
      problems.push({
        path: ['adapter', 'learnable'],
        message: 'adapter.fixed and adapter.learnable are both false, so the adapter would always give zero',
      });
  }
  if (adapter.method === 'none' && task.head === 'none')
    problems.push({
      path: ['task', 'head'],
      message: 'task.head and adapter.method are both "none", so there is nothing to train',
    });
  for (const key of ['staticEpochs', 'offsetPenalty'] as const)
    if (training[key] && adapter.method !== 'aurora')
      problems.push({
        path: ['training', key],
        message: `training.${key} is ${training[key]}, but it is of AuroRA alone and adapter.method is "${adapter.method}"`,
      });
  const { staticEpochs = 0, epochs, earlyStopping } = training;
  if (staticEpochs > epochs)
    problems.push({
      path: ['training', 'staticEpochs'],
      message: `training.staticEpochs is ${staticEpochs}, more than the ${epochs} of training.epochs`,
    });
  if (staticEpochs > 0 && earlyStopping)
    problems.push({
      path: ['training', 'earlyStopping'],
      message:
        'training.earlyStopping could end the run before the epochs of training.staticEpochs, so only one of them can be set',
    });
  return problems;
}
