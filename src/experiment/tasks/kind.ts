import type { MetricName } from '../metrics';

/** The input that a task's model reads for each example. */
export const INPUT_SHAPES = ['text', 'pair', 'image', 'chat'] as const;
export type InputShape = (typeof INPUT_SHAPES)[number];

/** The output: one label, several, a number, labeled spans of a text, a text, or the hidden tokens of a text. */
export const ANSWER_SHAPES = ['label', 'labels', 'number', 'spans', 'text', 'tokens'] as const;
export type AnswerShape = (typeof ANSWER_SHAPES)[number];

/** Input and output: pages and the editor depend on these, never on the kind. */
export interface TaskShapes {
  input: InputShape;
  answer: AnswerShape;
}

/** A kind of task. Pages and the editor use this half; the code that trains and evaluates it is in `src/tasks`. */
export interface TaskDescription extends TaskShapes {
  /** As a choice: its name, and what it learns. */
  title: string;
  detail: string;
  /** The metrics of an evaluation besides the loss; the first is the default of training.metric. */
  metrics: readonly MetricName[];
  /** Whether a new head can be trained; otherwise the model's own output is the answer. */
  head: boolean;
  /** Whether a second text column makes its input a pair of texts (data.textPairColumn). */
  pairs: boolean;
  /** Defaults of data.textColumn or data.imageColumn, and of data.labelColumn. */
  columns: { text?: string; image?: string; label?: string };
  /** `pipeline_tag` of a model card on the Hub. */
  pipelineTag: string;
  /** `task_type` of PEFT's adapter_config.json (peft.utils.peft_types.TaskType), where PEFT has one. */
  peftTaskType?: string;
  /** `problem_type` of a config.json of transformers, where the kind has one. */
  problemType?: string;
}
