import { basename } from 'node:path';
import { describeTask, shapesOf } from '../experiment/tasks/registry';
import { readUser } from '../runs/user';
import type { PlayFacts } from '../protocol/playground';
import type { Trained } from '../training/checkpoint/trained-run';

/** What the playground knows about a run. */
export function factsOf(trained: Trained): PlayFacts {
  const { task, step, form, labels, inputs } = trained;
  const { adapters, data, spec } = task;
  return {
    ...shapesOf(spec)!,
    name: nameOf(trained),
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

/** Where a text that is asked about is put into the template of the data; other kinds do so themselves. */
const templateOf = ({
  task,
  data: { promptTemplate },
}: Trained['run']['spec']): Pick<PlayFacts, 'template'> =>
  describeTask(task.type).answer === 'text' && promptTemplate !== undefined
    ? { template: promptTemplate }
    : {};

/** What a page makes of a picture before it sends it. */
function imageShape({ data, kind }: Trained['task']): Pick<PlayFacts, 'image'> {
  const shape = kind.imageShape?.(data);
  return shape ? { image: shape } : {};
}

/** The user's name for it, otherwise its experiment's name and the start of its id. */
function nameOf({ run: { folder, id, spec } }: Trained): string {
  const short = /Z-([0-9a-f]{4})[0-9a-f]*$/.exec(id)?.[1] ?? basename(folder);
  return readUser(folder).name ?? `${spec.name} · ${short}`;
}
