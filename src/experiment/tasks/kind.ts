import type { MetricName } from '../metrics';

/** The input that a task's model reads for each example. */
export const INPUT_SHAPES = ['text', 'pair', 'image', 'chat'] as const;
export type InputShape = (typeof INPUT_SHAPES)[number];

/**
 * The output: one label, several, a number, labeled spans of a text, a text, the hidden tokens of a text, one of the
 * choices that come with the input, or a picture.
 */
export const ANSWER_SHAPES = [
  'label',
  'labels',
  'number',
  'spans',
  'text',
  'tokens',
  'choice',
  'picture',
] as const;
export type AnswerShape = (typeof ANSWER_SHAPES)[number];

/** What the command line says of a shape of answer. */
interface AnswerDescription {
  /** The model's work, after its name: "classifies texts into 4 labels". */
  does(input: InputShape, labels: number): string;
}

export const ANSWERS: Record<AnswerShape, AnswerDescription> = {
  label: { does: (input, labels) => `classifies ${input}s into ${labels} labels` },
  labels: { does: (input, labels) => `labels ${input}s with ${labels} labels` },
  number: { does: (input) => `predicts a number for each ${input}` },
  spans: { does: (input) => `finds spans in a ${input}` },
  text: { does: () => 'continues a text' },
  tokens: { does: () => 'predicts the masked tokens of a text' },
  choice: { does: () => 'chooses one of the answers to a question' },
  picture: { does: () => 'draws pictures from a prompt' },
};

/** True if a language model learns to write the answer after the input. */
export const isWritten = (answer: AnswerShape): boolean => answer === 'text' || answer === 'choice';

/** Input and output: pages and the editor depend on these, never on the kind. */
export interface TaskShapes {
  input: InputShape;
  answer: AnswerShape;
}

/** A kind of task. Pages and the editor use this half; the code that trains and evaluates it is in `src/tasks`. */
export interface TaskDescription extends TaskShapes {
  /** The title of a choice: its name, and the answer that it learns. */
  title: string;
  detail: string;
  /** The metrics of an evaluation besides the loss; the first, or else the loss, is the default of training.metric. */
  metrics: readonly MetricName[];
  /** True if a new head can be trained; otherwise the model's own output is the answer. */
  head: boolean;
  /** True if a second text column makes its input a pair of texts (data.textPairColumn). */
  pairs: boolean;
  /**
   * Defaults of data.textColumn or data.imageColumn, of data.labelColumn, and of data.choicesColumn where choices are
   * nowhere else.
   */
  columns: { text?: string; image?: string; label?: string; choices?: string };
  /** Defaults of other settings, by their dotted keys, where those of the schema do not suit the kind. */
  defaults?(task: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** `pipeline_tag` of a model card on the Hub. */
  pipelineTag: string;
  /** The ending of the names of transformers' classes for it: `BertForSequenceClassification`. */
  modelClass: string;
  /** `task_type` of PEFT's adapter_config.json (peft.utils.peft_types.TaskType), where PEFT has one. */
  peftTaskType?: string;
  /** `problem_type` of a config.json of transformers, where the kind has one. */
  problemType?: string;
}
