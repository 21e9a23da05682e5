import { codeSpan } from '../../base/escape';
import type { MetricName } from '../metrics';
import { type ScoredTask, scoringWords, writtenScorings } from '../scoring';

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

/** A shape of answer in words. */
interface AnswerDescription {
  /** The model's work, after its name: "classifies texts into 4 labels". */
  does(input: InputShape, labels: number): string;
  /** @param scored how answers were found, from `statedScoring` */
  card(labels: readonly string[], scored: ScoredTask): AnswerInCard;
}

/** A shape of answer on a model card. */
export interface AnswerInCard {
  /** The outputs in the section on data. */
  outputs: string;
  /** The content of an ONNX model's tensor, at the end of a sentence. */
  holds: string;
  /** Prints the answer to the first text, from `logits` in PyTorch. */
  print: string;
}

const named = (labels: readonly string[]): string =>
  `${labels.length} labels, in the order of the logits: ${labels.map(codeSpan).join(', ')}.`;
const LABEL_LOGITS = 'the logits, in the order of the labels below';
const NEXT_TOKEN = {
  holds: 'the logits of the next token after each token',
  print: 'print(int(logits[0, -1].argmax()))  # the id of the next token',
};

export const ANSWERS: Record<AnswerShape, AnswerDescription> = {
  label: {
    does: (input, labels) => `classifies ${input}s into ${labels} labels`,
    card: (labels) => ({
      outputs: named(labels),
      holds: LABEL_LOGITS,
      print: 'print(labels(".")[int(logits[0].argmax())])',
    }),
  },
  labels: {
    does: (input, labels) => `labels ${input}s with ${labels} labels`,
    card: (labels) => ({
      outputs: `${named(labels)} A text can have several: those with a logit above 0.`,
      holds: LABEL_LOGITS,
      print: 'print([label for label, logit in zip(labels("."), logits[0]) if logit > 0])',
    }),
  },
  number: {
    does: (input) => `predicts a number for each ${input}`,
    card: ([name]) => ({
      outputs: `One number, ${codeSpan(name)}, in the unit of the data.`,
      holds: 'one number for each text, in the unit of the data',
      print: 'print(float(logits[0, 0]))',
    }),
  },
  spans: {
    does: (input) => `finds spans in a ${input}`,
    card: (labels) => ({
      outputs: named(labels),
      holds: LABEL_LOGITS,
      print: 'print([labels(".")[i] for i in logits[0].argmax(-1)])',
    }),
  },
  text: {
    does: () => 'continues a text',
    card: (_, scored) => ({
      outputs: `It predicts the next token.${writtenScorings(scored).length > 0 ? ` Answers were found ${scoringWords(scored, codeSpan)}.` : ''}`,
      ...NEXT_TOKEN,
    }),
  },
  tokens: {
    does: () => 'predicts the masked tokens of a text',
    card: () => ({
      outputs: 'It predicts the tokens that are masked in a text.',
      holds: 'the logits of each token',
      print: 'print(logits[0].argmax(-1).tolist())  # the ids of the most likely tokens',
    }),
  },
  choice: {
    does: () => 'chooses one of the answers to a question',
    card: (_, scored) => ({
      outputs: `It predicts the next token. Of a question’s choices, the answer is found ${scoringWords(scored)}.`,
      ...NEXT_TOKEN,
    }),
  },
  picture: {
    does: () => 'draws pictures from a prompt',
    card: () => ({
      outputs: 'It predicts the noise in the latents of a picture, from which a sampler draws one.',
      holds: 'the predicted noise',
      print: 'print(logits.shape)',
    }),
  },
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
  /** The metrics of an evaluation besides the loss and those of written answers. */
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
