import { checkInputs, TEXT_INPUTS } from '../data/batch';
import { DType, dtypeName, isFloat } from '../graph/dtype';
import type { Model, ValueInfo } from '../graph/model';
import { AuroraError } from '../base/errors';
import { modelInputs } from '../tasks/task-data';
import { OWN_LOGITS } from '../tasks/head';

/** The input of a model. */
export type Reads = 'texts' | 'images';

/** Caches of earlier tokens, as exporters name them. */
const CACHE = /^(past|present|cache)|past_key|use_cache/i;
/** Outputs that describe a text without labelling it. */
const NO_ANSWER = /hidden|pooler|embedding/i;

const NEEDED =
  'The playground supports text and image classifiers with the output [batch, labels], and language models, masked ones too, with the output [batch, sequence, vocabulary].';

/** @throws AuroraError 'model' if it is neither, stating the model's outputs and the required ones */
export function whatItReads(model: Model, path: string): Reads {
  const inputs = modelInputs(model);
  if (inputs.some((i) => CACHE.test(i.name)))
    throw unfit(
      model,
      path,
      'it has a key/value cache of an unknown form',
      'Export it as Optimum does (past_key_values.0.key with its output present.0.key, of [batch, heads, tokens, size]), or without a cache.',
    );
  const [first] = inputs;
  if (inputs.length === 1 && first.shape?.length === 4) {
    if (first.dtype !== DType.float)
      throw unfit(
        model,
        path,
        `its pixels are ${dtypeName(first.dtype)}, not float32`,
        'Export it in float32.',
      );
    return 'images';
  }
  if (!inputs.every((i) => TEXT_INPUTS.includes(i.name)))
    throw unfit(model, path, 'these inputs match neither texts nor images', NEEDED);
  checkInputs(inputs, path);
  return 'texts';
}

export interface AnswerOutput {
  output: ValueInfo;
  /** Otherwise hidden states, for a head that comes with an adapter. */
  isLogits: boolean;
}

/**
 * The output with the answer.
 *
 * @param head true if hidden states will do
 * @throws AuroraError 'model' if there is none, or it cannot be distinguished from others
 */
export function findAnswer(model: Model, path: string, head: boolean): AnswerOutput {
  const outputs = model.graph.outputs.filter(
    (o) => (o.dtype === 0 || isFloat(o.dtype)) && !CACHE.test(o.name),
  );
  const only = outputs.length === 1 ? outputs[0] : undefined;
  // Our own exports have the trained head's output beside the original model's.
  const named = [OWN_LOGITS, 'logits'].map((name) => outputs.find((o) => o.name === name));
  const logits = named.find((o) => o) ?? only;
  if (logits && !NO_ANSWER.test(logits.name)) return { output: logits, isLogits: true };
  const hidden = outputs.find((o) => o.name === 'last_hidden_state') ?? only;
  if (head && hidden) return { output: hidden, isLogits: false };
  throw hidden
    ? unfit(
        model,
        path,
        'its output is hidden states, not predictions',
        `Train a head on it in an experiment, and open that run. ${NEEDED}`,
      )
    : unfit(model, path, 'no output is named "logits"', NEEDED);
}

/** An error with all the facts that decide whether a model can be queried. */
export function unfit(model: Model, path: string, why: string, hint: string = NEEDED): AuroraError {
  const list = (values: readonly ValueInfo[]) => {
    const shown = values.slice(0, 4).map((v) => `${v.name} ${shapeWords(v.shape)}`);
    return [...shown, ...(values.length > 4 ? [`${values.length - 4} more`] : [])].join(', ');
  };
  return new AuroraError(
    'model',
    `${path} has the inputs ${list(modelInputs(model))} and the outputs ${list(model.graph.outputs)}: ${why}.`,
    hint,
  );
}

const shapeWords = (shape: ValueInfo['shape']): string =>
  shape ? `[${shape.map((d) => d ?? '?').join(', ')}]` : 'of any shape';
