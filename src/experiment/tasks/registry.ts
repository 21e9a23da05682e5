import { own } from '../../base/names';
import type { Experiment } from '../experiment';
import type { MetricName } from '../metrics';
import { type ScoredTask, writtenMetrics } from '../scoring';
import type { InputShape, TaskDescription, TaskShapes } from './kind';

const textClassification: TaskDescription = {
  title: 'Text classification',
  detail: 'One label for each text or pair of texts',
  input: 'text',
  answer: 'label',
  head: true,
  pairs: true,
  metrics: ['accuracy', 'f1', 'macroF1', 'weightedF1', 'matthews'],
  columns: { text: 'text', label: 'label' },
  pipelineTag: 'text-classification',
  modelClass: 'ForSequenceClassification',
  peftTaskType: 'SEQ_CLS',
  problemType: 'single_label_classification',
};

const multiLabelClassification: TaskDescription = {
  title: 'Multi-label classification',
  detail: 'Any number of labels for each text or pair of texts',
  input: 'text',
  answer: 'labels',
  head: true,
  pairs: true,
  metrics: ['microF1', 'macroF1', 'meanAveragePrecision'],
  columns: { text: 'text', label: 'labels' },
  pipelineTag: 'text-classification',
  modelClass: 'ForSequenceClassification',
  peftTaskType: 'SEQ_CLS',
  problemType: 'multi_label_classification',
};

const textRegression: TaskDescription = {
  title: 'Text regression',
  detail: 'A number for each text or pair of texts, such as a similarity',
  input: 'text',
  answer: 'number',
  head: true,
  pairs: true,
  metrics: ['pearson', 'spearman', 'rmse'],
  columns: { text: 'text', label: 'label' },
  pipelineTag: 'text-classification',
  modelClass: 'ForSequenceClassification',
  peftTaskType: 'SEQ_CLS',
  problemType: 'regression',
};

const tokenClassification: TaskDescription = {
  title: 'Token classification',
  detail: 'A tag for each word, as in named-entity recognition',
  input: 'text',
  answer: 'spans',
  head: true,
  pairs: false,
  metrics: ['entityF1', 'entityPrecision', 'entityRecall', 'tagAccuracy'],
  columns: { text: 'tokens', label: 'tags' },
  pipelineTag: 'token-classification',
  modelClass: 'ForTokenClassification',
  peftTaskType: 'TOKEN_CLS',
};

const multipleChoice: TaskDescription = {
  title: 'Multiple choice',
  detail:
    'The right one of a question’s own choices, as Commonsense170K has them, written by a language model',
  input: 'text',
  answer: 'choice',
  head: false,
  pairs: false,
  metrics: ['accuracy'],
  columns: { text: 'question', label: 'answer', choices: 'choices' },
  pipelineTag: 'text-generation',
  modelClass: 'ForCausalLM',
  peftTaskType: 'CAUSAL_LM',
};

const causalLanguageModeling: TaskDescription = {
  title: 'Language modeling',
  detail: 'The next token of texts, of completions after prompts, or of conversations',
  input: 'text',
  answer: 'text',
  head: false,
  pairs: false,
  metrics: ['perplexity', 'tokenAccuracy'],
  columns: { text: 'text' },
  pipelineTag: 'text-generation',
  modelClass: 'ForCausalLM',
  peftTaskType: 'CAUSAL_LM',
};

const maskedLanguageModeling: TaskDescription = {
  title: 'Masked language modeling',
  detail: 'Hidden tokens of texts, as in the pretraining of BERT',
  input: 'text',
  answer: 'tokens',
  head: false,
  pairs: false,
  metrics: ['perplexity', 'tokenAccuracy'],
  columns: { text: 'text' },
  pipelineTag: 'fill-mask',
  modelClass: 'ForMaskedLM',
};

const imageClassification: TaskDescription = {
  title: 'Image classification',
  detail: 'One label for each image',
  input: 'image',
  answer: 'label',
  head: true,
  pairs: false,
  metrics: ['accuracy', 'top5Accuracy', 'f1', 'macroF1', 'weightedF1'],
  columns: { image: 'image', label: 'label' },
  pipelineTag: 'image-classification',
  modelClass: 'ForImageClassification',
  problemType: 'single_label_classification',
};

/** The attention layers, as in diffusers' training scripts. */
const OF_UNET = ['to_q', 'to_k', 'to_v', 'to_out.0'];
const OF_TEXT_ENCODERS = ['q_proj', 'k_proj', 'v_proj', 'out_proj'];

const subjectGeneration: TaskDescription = {
  title: 'Subject generation',
  detail: 'Pictures of a subject from a prompt, learned from a few images as in DreamBooth',
  input: 'text',
  answer: 'picture',
  head: false,
  pairs: false,
  metrics: [],
  columns: { text: 'text', image: 'image' },
  defaults: ({ trainTextEncoder }) => ({
    // With five images, none can be spared.
    'data.validationFraction': 0,
    'adapter.targetModules': trainTextEncoder === true ? [...OF_UNET, ...OF_TEXT_ENCODERS] : OF_UNET,
  }),
  pipelineTag: 'text-to-image',
  modelClass: 'UNet2DConditionModel',
};

/** Every kind of task, by its name in an experiment; the same as in the schema. */
export const TASKS = {
  'text-classification': textClassification,
  'text-regression': textRegression,
  'multi-label-classification': multiLabelClassification,
  'token-classification': tokenClassification,
  'image-classification': imageClassification,
  'causal-language-modeling': causalLanguageModeling,
  'masked-language-modeling': maskedLanguageModeling,
  'multiple-choice': multipleChoice,
  'subject-generation': subjectGeneration,
} as const satisfies Record<string, TaskDescription>;

export type TaskName = keyof typeof TASKS;

/** The default kind, as in the schema. */
export const DEFAULT_TASK: TaskName = 'text-classification';

/** The first kind with this input and answer. */
export const taskWith = ({ input, answer }: TaskShapes): TaskName | undefined =>
  (Object.keys(TASKS) as TaskName[]).find((n) => TASKS[n].input === input && TASKS[n].answer === answer);

export const describeTask = (name: TaskName): TaskDescription => TASKS[name];

/** The metrics of an evaluation besides the loss; the first, or else the loss, is the default of training.metric. */
export const taskMetrics = (task: ScoredTask & { type: TaskName }): MetricName[] => [
  ...writtenMetrics(task),
  ...describeTask(task.type).metrics,
];

function inputOf(
  { input }: TaskDescription,
  { textPairColumn, messagesColumn }: Experiment['data'],
): InputShape {
  if (messagesColumn !== undefined) return 'chat';
  return textPairColumn === undefined ? input : 'pair';
}

/** @returns undefined for a kind from another version, whose runs can still be opened */
export function shapesOf({ task, data }: Pick<Experiment, 'task' | 'data'>): TaskShapes | undefined {
  const kind = own<TaskDescription>(TASKS, task.type);
  return kind && { input: inputOf(kind, data), answer: kind.answer };
}

/** True if an experiment, which may be wrong or incomplete, trains a new head. */
export const trainsHead = (task: { type?: unknown; head?: unknown }): boolean =>
  task.head !== 'none' && own<TaskDescription>(TASKS, String(task.type ?? DEFAULT_TASK))?.head !== false;
