import { describeTask } from '../experiment/tasks/registry';
import { DEFAULT_SCORING, SCORINGS } from '../experiment/scoring';
import { codeSpan } from '../base/escape';
import type { Task } from '../training/task/task';

/** The answer of a model, by its shape, in the words of the card. */
interface CardAnswer {
  /** The outputs in the section on data. */
  outputs: string;
  /** The content of an ONNX model's tensor, at the end of a sentence. */
  holds: string;
  /** Prints the answer to the first text, from `logits` in PyTorch. */
  print: string;
}

const named = ({ data: { labels } }: Task): string =>
  `${labels.length} labels, in the order of the logits: ${labels.map(codeSpan).join(', ')}.`;

const nextToken = {
  holds: 'the logits of the next token after each token',
  print: 'print(int(logits[0, -1].argmax()))  # the id of the next token',
};

export function cardAnswer(task: Task): CardAnswer {
  const holds = 'the logits, in the order of the labels below';
  switch (describeTask(task.spec.task.type).answer) {
    case 'label':
      return { outputs: named(task), holds, print: 'print(labels(".")[int(logits[0].argmax())])' };
    case 'labels':
      return {
        outputs: `${named(task)} A text can have several: those with a logit above 0.`,
        holds,
        print: 'print([label for label, logit in zip(labels("."), logits[0]) if logit > 0])',
      };
    case 'spans':
      return { outputs: named(task), holds, print: 'print([labels(".")[i] for i in logits[0].argmax(-1)])' };
    case 'number':
      return {
        outputs: `One number, ${codeSpan(task.data.labels[0])}, in the unit of the data.`,
        holds: 'one number for each text, in the unit of the data',
        print: 'print(float(logits[0, 0]))',
      };
    case 'text':
      return { outputs: 'It predicts the next token.', ...nextToken };
    case 'choice':
      return {
        outputs: `It predicts the next token. Of a question’s choices, the answer is found ${SCORINGS[task.spec.task.scoring ?? DEFAULT_SCORING]}.`,
        ...nextToken,
      };
    case 'picture':
      return {
        outputs: 'It predicts the noise in the latents of a picture, from which a sampler draws one.',
        holds: 'the predicted noise',
        print: 'print(logits.shape)',
      };
    case 'tokens':
      return {
        outputs: 'It predicts the tokens that are masked in a text.',
        holds: 'the logits of each token',
        print: 'print(logits[0].argmax(-1).tolist())  # the ids of the most likely tokens',
      };
  }
}
