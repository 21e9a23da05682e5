import type { MetricName } from '../metrics';

/** What a model of a task reads of one example. */
export const INPUT_SHAPES = ['text', 'pair', 'image', 'chat'] as const;
export type InputShape = (typeof INPUT_SHAPES)[number];

/** What it answers: one label, several, a number, labelled parts of a text, or a text. */
export const ANSWER_SHAPES = ['label', 'labels', 'number', 'spans', 'text'] as const;
export type AnswerShape = (typeof ANSWER_SHAPES)[number];

/** What goes in and what comes out: pages and the editor decide by these, never by the kind. */
export interface TaskShapes {
  input: InputShape;
  answer: AnswerShape;
}

/**
 * What a kind of task is. Pages and the editor know this half; what trains and evaluates it is in `src/tasks`.
 */
export interface TaskDescription extends TaskShapes {
  /** That an evaluation gives besides the loss, the one that training.metric is by default first. */
  metrics: readonly MetricName[];
  /** `pipeline_tag` of a model card on the hub. */
  pipelineTag: string;
  /** `task_type` of PEFT's adapter_config.json (peft.utils.peft_types.TaskType). */
  peftTaskType: string;
  /** `problem_type` of a config.json of transformers. */
  problemType: string;
}
