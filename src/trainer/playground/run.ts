import { basename } from 'node:path';
import { openEvaluator } from '../../engine/open';
import { describeTask } from '../../experiment/tasks/registry';
import { readUser } from '../../runs/user';
import type { PlaySample, PlayVariant } from '../../protocol/playground';
import { permutation, Stream } from '../../base/random';
import { validationRows, withoutRows } from '../../tasks/text-data';
import { openTrained, type At, type Trained } from '../checkpoint/trained-run';
import { withoutAdapters } from './base';
import { probabilitiesOf } from './probabilities';
import type { Classifier } from './subject';
import { readText, warmUpText } from './texts';

export interface OpenOptions {
  /** For temporary graphs; removed by the caller afterwards. */
  folder: string;
  /** Runtime threads; 0 for one per core. */
  threads: number;
}

/** A run's checkpoint, and its model with only the trained head, in one session. */
export async function openRun(run: string, at: At, { folder, threads }: OpenOptions): Promise<Classifier> {
  const trained = await openTrained(run, at, folder, withoutRows);
  const { task, parameters, step, form, labels, inputs } = trained;
  const { adapters, data, spec } = task;
  const { input, answer } = describeTask(spec.task.type);
  const evaluator = await openEvaluator(task.model, task.infos, task.graph, folder, { threads });
  const values = { adapted: parameters, base: withoutAdapters(adapters, parameters) };
  const evaluate = async (dataset: typeof data.train.dataset, variant: PlayVariant) => {
    const feeds = task.feeds(dataset, [0]);
    const began = performance.now();
    const { logits } = await evaluator.evaluate(feeds, values[variant]);
    return { logits: logits.data as Float32Array, seconds: (performance.now() - began) / 1000 };
  };
  await evaluate(warmUpText(data.tokenizer.padId), 'adapted');
  return {
    facts: {
      input,
      answer,
      name: nameOf(trained),
      labels,
      step,
      form,
      ...(adapters.length > 0 && { base: task.head ? 'model-with-head' : 'model' }),
      samples: true,
      assumed: [...inputs.changed, ...inputs.notes, ...data.warnings],
    },
    variants: adapters.length > 0 ? ['adapted', 'base'] : ['adapted'],
    async answer(question, variant) {
      const { dataset, ...read } = readText(question, data.tokenizer, spec.model.maxLength);
      const { logits, seconds } = await evaluate(dataset, variant);
      return { probabilities: probabilitiesOf(logits, 'one-label'), seconds, ...read };
    },
    sample: samples(trained),
    dispose: () => evaluator.dispose(),
  };
}

/** The user's name for it, otherwise its experiment's name and the start of its id. */
function nameOf({ run: { folder, id, spec } }: Trained): string {
  const short = /Z-([0-9a-f]{4})[0-9a-f]*$/.exec(id)?.[1] ?? basename(folder);
  return readUser(folder).name ?? `${spec.name} · ${short}`;
}

/** The data are read on first use: they may be large, or gone. */
function samples({ run: { spec }, labels }: Trained): () => PlaySample {
  let rows: ReturnType<typeof validationRows>['rows'] | undefined;
  let order: number[] = [];
  let next = 0;
  return () => {
    rows ??= validationRows(spec, labels).rows;
    if (order.length === 0) order = permutation(rows.length, spec.training.seed, Stream.trials);
    const { text, label, line } = rows[order[next++ % order.length]];
    return { text, label, line, file: basename(spec.data.validation ?? spec.data.train) };
  };
}
