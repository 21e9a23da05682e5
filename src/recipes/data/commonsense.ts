import { taskWith } from '../../experiment/tasks/registry';
import type { DataRecipe, Layout } from './data-kind';

/** The project that distributes Commonsense170K; its script trains on the files as they are. */
const LLM_ADAPTERS = 'LLM-Adapters (arXiv 2304.01933), finetune.py';

/** Alpaca's, in the layout of LLM-Adapters without its indentation. */
const TEMPLATE =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n{text}\n\n### Response:\n';

/** Each of LLM-Adapters' folders with a test.json, by the set's id in the paper's tables. */
const TEST_FOLDERS = {
  boolq: 'boolq',
  piqa: 'piqa',
  siqa: 'social_i_qa',
  hellaswag: 'hellaswag',
  winogrande: 'winogrande',
  'arc-e': 'ARC-Easy',
  'arc-c': 'ARC-Challenge',
  obqa: 'openbookqa',
};

/** The columns are the same in each form. The tests are where LLM-Adapters has them beside its training file. */
const LAYOUT: Omit<Layout, 'title' | 'train' | 'source'> = {
  validation: [],
  test: [],
  evaluations: Object.entries(TEST_FOLDERS).map(([name, folder]) => ({
    name,
    files: ['dataset/', '', '../dataset/', '../'].map((above) => `${above}${folder}/test.json`),
  })),
  columns: { text: 'instruction', completion: 'output', label: 'answer' },
  read: { promptTemplate: TEMPLATE },
};

/** The joint training set of the eight commonsense tests. */
export const COMMONSENSE_DATA: DataRecipe = {
  id: 'commonsense170k',
  name: 'Commonsense170K',
  task: { value: taskWith({ input: 'text', answer: 'choice' })!, source: LLM_ADAPTERS },
  lossOn: { value: 'everything', source: `${LLM_ADAPTERS} (train_on_inputs)` },
  others: { 'model.maxLength': { value: 256, source: `${LLM_ADAPTERS} (cutoff_len)` } },
  models: { only: 'llama3-8b' },
  split: {
    value: 'trained on all eight sets together; a share is held out to choose the best checkpoint',
    source: 'not stated in the paper; LLM-Adapters holds out a number of rows (val_set_size)',
  },
  validated: false,
  folders: ['', 'ft-training_set', 'default', 'data'],
  layouts: [
    { ...LAYOUT, title: 'LLM-Adapters’ JSON file', train: ['commonsense_170k.json'], source: LLM_ADAPTERS },
    {
      ...LAYOUT,
      title: 'the hub’s Parquet files',
      train: ['train-00000-of-00001.parquet', 'train/0000.parquet'],
      source: 'zwhe99/commonsense_170k on the hub, which has the columns of LLM-Adapters’ file',
    },
  ],
  leftOut: [
    'The scoring of LLM-Adapters, which reads the answer from a text that the model writes with 4 beams. Here the likelihood of the choices decides, which is much faster; "task.scoring": "llm-adapters" does as LLM-Adapters does. The paper does not state how it scores.',
    'The template of LLM-Adapters is indented by 16 spaces and has “# noqa: E501” in its first line, in training but not in evaluation. Here it has neither. The paper does not state its template.',
    'The column “input”, which is empty in every row.',
  ],
};
