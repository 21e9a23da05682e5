import type { Experiment } from '../../shared/experiment';
import type { Problem } from './source';

/** What a schema cannot say: values that are right one by one but not together. */
export function ruleProblems({ adapter, task }: Experiment): Problem[] {
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
  return problems;
}
