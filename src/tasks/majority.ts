import type { TaskData } from './text-data';

/** What always answering with the most frequent training label gives on the validation examples. */
export interface Majority {
  label: string;
  /** In [0, 1]. */
  accuracy: number;
}

export function majority(data: TaskData): Majority {
  const counts = new Array<number>(data.labels.length).fill(0);
  for (const e of data.train.dataset.examples) counts[e.label]++;
  const label = counts.indexOf(Math.max(...counts));
  const { examples } = data.validation.dataset;
  return {
    label: data.labels[label],
    accuracy: examples.filter((e) => e.label === label).length / examples.length,
  };
}
