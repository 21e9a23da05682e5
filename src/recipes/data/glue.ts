import type { TaskColumns } from '../../experiment/tasks/columns';
import { taskWith } from '../../experiment/tasks/registry';
import { NOT_STATED, type DataRecipe, type Layout } from './data-kind';

const GLUE = 'GLUE (arXiv 1804.07461)';
/** Reads GLUE's own files: columns, CoLA's missing header, no quoting, label order, -1 for hidden labels. */
const GLUE_PY = 'glue.py of the library datasets';
/** nyu-mll/glue, under which transformers' run_glue.py finds the columns (task_to_keys). */
const HUB = 'nyu-mll/glue on the hub; run_glue.py of transformers (task_to_keys)';

const ENTAILMENT = ['entailment', 'not_entailment'];

interface GlueTask {
  /** GLUE's folder, and the configuration on the hub. */
  folder: string;
  config: string;
  id: string;
  name: string;
  tsv: TaskColumns;
  hub: TaskColumns;
  header?: false;
  /** The meaning of the labels; undefined for numbers. */
  labels?: readonly string[];
  /** The labels as GLUE's own files write them; if omitted, their names. */
  written?: readonly string[];
  unusable?: DataRecipe['unusable'];
}

const TASKS: readonly GlueTask[] = [
  {
    folder: 'SST-2',
    config: 'sst2',
    id: 'sst-2',
    name: 'SST-2',
    tsv: { text: 'sentence', label: 'label' },
    hub: { text: 'sentence', label: 'label' },
    labels: ['negative', 'positive'],
    written: ['0', '1'],
  },
  {
    folder: 'MRPC',
    config: 'mrpc',
    id: 'mrpc',
    name: 'MRPC',
    tsv: { text: '#1 String', pair: '#2 String', label: 'Quality' },
    hub: { text: 'sentence1', pair: 'sentence2', label: 'label' },
    labels: ['not_equivalent', 'equivalent'],
    written: ['0', '1'],
    unusable: [
      {
        file: 'msr_paraphrase_train.txt',
        why: 'MRPC as Microsoft distributes it (msr_paraphrase_train.txt) has no validation set; GLUE takes one out of it, by dev_ids.tsv',
        hint: 'Use the train.tsv and dev.tsv that GLUE’s download_glue_data.py makes of it, or the Parquet files of nyu-mll/glue.',
      },
    ],
  },
  {
    folder: 'CoLA',
    config: 'cola',
    id: 'cola',
    name: 'CoLA',
    tsv: { text: '4', label: '2' },
    hub: { text: 'sentence', label: 'label' },
    header: false,
    labels: ['unacceptable', 'acceptable'],
    written: ['0', '1'],
  },
  {
    folder: 'QNLI',
    config: 'qnli',
    id: 'qnli',
    name: 'QNLI',
    tsv: { text: 'question', pair: 'sentence', label: 'label' },
    hub: { text: 'question', pair: 'sentence', label: 'label' },
    labels: ENTAILMENT,
  },
  {
    folder: 'RTE',
    config: 'rte',
    id: 'rte',
    name: 'RTE',
    tsv: { text: 'sentence1', pair: 'sentence2', label: 'label' },
    hub: { text: 'sentence1', pair: 'sentence2', label: 'label' },
    labels: ENTAILMENT,
  },
  {
    folder: 'STS-B',
    config: 'stsb',
    id: 'sts-b',
    name: 'STS-B',
    tsv: { text: 'sentence1', pair: 'sentence2', label: 'score' },
    hub: { text: 'sentence1', pair: 'sentence2', label: 'label' },
  },
];

const tsv = ({ tsv: columns, header, labels, written = labels }: GlueTask): Layout => ({
  title: 'GLUE’s TSV files',
  train: ['train.tsv'],
  validation: ['dev.tsv'],
  test: ['test.tsv'],
  columns,
  read: { ...(header === false && { header }), quoting: 'none' },
  labels: written,
  source: GLUE_PY,
});

const parquet = ({ hub: columns, labels }: GlueTask): Layout => ({
  title: 'the hub’s Parquet files',
  train: ['train-00000-of-00001.parquet', 'train/0000.parquet'],
  validation: ['validation-00000-of-00001.parquet', 'validation/0000.parquet'],
  test: ['test-00000-of-00001.parquet', 'test/0000.parquet'],
  columns,
  read: {},
  labels,
  source: HUB,
});

/** The six tasks of GLUE that the paper trains, in its order. */
export const GLUE_DATA: readonly DataRecipe[] = TASKS.map((task) => {
  const { id, name, folder, config, labels, unusable } = task;
  return {
    id: `glue/${id}`,
    ...(config !== id && { alias: `glue/${config}` }),
    name,
    task: { value: taskWith({ input: 'text', answer: labels ? 'label' : 'number' })!, source: GLUE },
    pooling: {
      value: 'first-token',
      source:
        'RobertaForSequenceClassification of transformers; the paper says only that the classifier is trained',
    },
    models: { base: 'roberta-base', large: 'roberta-large' },
    ...(labels && { labels: { value: labels, source: GLUE_PY } }),
    split: {
      value: 'trained on the training set, evaluated on the validation set',
      source: `${NOT_STATED} in the paper; labels of test sets are hidden (-1 on the hub) or not meant for it, so they are never used`,
    },
    validated: true,
    folders: ['', folder, config, 'data'],
    layouts: [tsv(task), parquet(task)],
    unusable,
    leftOut: [
      'RoBERTa’s classifier has a further dense layer before the last one; here, the new head is one linear layer.',
    ],
  };
});
