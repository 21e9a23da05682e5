import { declaredOutputs, taskOutput } from '../../adapters/task-output';
import type { FixedGraph } from '../../graph/sizes/sizes';
import { HEAD_BIAS, HEAD_WEIGHT, type HeadSpec } from '../../tasks/head';
import type { ObjectiveName } from '../../tasks/objective';

/** What a loss reads of a model. */
export interface AnswerSpec {
  objective: ObjectiveName;
  head?: HeadSpec;
  /** The tensor that the head or the loss reads. */
  output: string;
}

/** A new head's size hardly matters. */
const CLASSES = 2;

/**
 * What a model with these outputs is trained for: a language model for its next token, a classifier for its logits,
 * anything else for a new classifier on its hidden states.
 *
 * @throws AuroraError 'model' if it is not clear which output that is
 */
export function answerOf({ graph, infos }: FixedGraph): AnswerSpec {
  const logits = infos.get('logits');
  if (logits && graph.outputs.some((o) => o.name === 'logits'))
    return { output: 'logits', objective: logits.shape.length === 3 ? 'causal-lm' : 'cross-entropy' };
  const output = taskOutput(declaredOutputs(graph), { output: undefined, head: true });
  const head = { pooling: 'first-token' as const, classes: CLASSES, weight: HEAD_WEIGHT, bias: HEAD_BIAS };
  return { output, objective: 'cross-entropy', head };
}
