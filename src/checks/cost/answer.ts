import { declaredOutputs, taskOutput, type OutputChoice } from '../../adapters/task-output';
import type { FixedGraph } from '../../graph/sizes/sizes';
import { HEAD_BIAS, HEAD_WEIGHT, type HeadSpec } from '../../tasks/head';
import type { ObjectiveName } from '../../tasks/objective';

/** The loss and the output of a model that it reads. */
export interface AnswerSpec {
  objective: ObjectiveName;
  head?: HeadSpec;
  /** The tensor that the head or the loss reads. */
  output: string;
}

/** Objectives by the number of axes of a model's own output: words of a text, or a picture. */
const OBJECTIVE: Readonly<Record<number, ObjectiveName>> = { 3: 'causal-lm', 4: 'noise-mse' };

/** Outputs that are answers. */
const WITHOUT_HEAD = ['logits', 'out_sample'];

/** A new head's size hardly matters. */
const CLASSES = 2;

/**
 * The answer that a model is trained for: with a head, a new classifier on its hidden states; without one, its own
 * logits, of the next token or of classes, or the noise in a picture.
 *
 * @param choice the experiment's settings; without `head`, a model that has logits or predicts a picture is trained on
 *   them
 * @throws AuroraError 'model' if there is no such output, or it is not clear which one is meant
 */
export function answerOf(
  { graph, infos }: FixedGraph,
  {
    head = !graph.outputs.some((o) => WITHOUT_HEAD.includes(o.name)),
    output: wanted,
  }: Partial<OutputChoice> = {},
): AnswerSpec {
  const output = taskOutput(declaredOutputs(graph), { output: wanted, head });
  if (!head) return { output, objective: OBJECTIVE[infos.get(output)?.shape.length ?? 0] ?? 'cross-entropy' };
  const spec = { pooling: 'first-token' as const, classes: CLASSES, weight: HEAD_WEIGHT, bias: HEAD_BIAS };
  return { output, objective: 'cross-entropy', head: spec };
}
