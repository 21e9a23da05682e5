import { describeTask, shapesOf } from '../experiment/tasks/registry';
import type { PlayFacts } from '../protocol/playground';
import type { Trained } from '../training/checkpoint/trained-run';
import { runName } from './adapter-stack';

/** The facts about a run for the playground. */
export function factsOf(trained: Trained): PlayFacts {
  const { task, step, form, labels, inputs } = trained;
  const { adapters, data, spec } = task;
  return {
    ...shapesOf(spec)!,
    name: runName(trained.run),
    labels,
    step,
    form,
    ...(adapters.length > 0 && { base: task.head ? 'model-with-head' : 'model' }),
    samples: true,
    ...imageShape(task),
    ...(task.kind.mask && { mask: task.kind.mask(data) }),
    ...templateOf(spec),
    assumed: [...inputs.changed, ...inputs.notes, ...data.warnings],
  };
}

/** The template of the data into which a text of a question is put; other kinds do so themselves. */
const templateOf = ({
  task,
  data: { promptTemplate },
}: Trained['run']['spec']): Pick<PlayFacts, 'template'> =>
  describeTask(task.type).answer === 'text' && promptTemplate !== undefined
    ? { template: promptTemplate }
    : {};

/** The shape to which a page converts a picture before it sends it. */
function imageShape({ data, kind }: Trained['task']): Pick<PlayFacts, 'image'> {
  const shape = kind.imageShape?.(data);
  return shape ? { image: shape } : {};
}
