import { isFloat } from '../graph/dtype';
import type { Graph } from '../graph/model';
import type { LayerSummary, ModelSummary } from '../graph/summary';
import { AuroraError } from '../base/errors';

/** An output of a model, as far as its file declares it. */
export interface DeclaredOutput {
  name: string;
  /** True for floats, and if the file does not declare it. */
  float: boolean;
}

/** An experiment's settings for the output that it trains on: model.output, and true if task.head is "linear". */
export interface OutputChoice {
  output: string | undefined;
  head: boolean;
}

export const declaredOutputs = ({ outputs }: Graph): DeclaredOutput[] =>
  outputs.map(({ name, dtype }) => ({ name, float: dtype === 0 || isFloat(dtype) }));

/**
 * The output a head or a loss should read if the experiment does not specify it; by names and declared types.
 *
 * @throws AuroraError 'model' if the model has no such output, or the choice is ambiguous
 */
export function taskOutput(
  outputs: readonly DeclaredOutput[],
  { output: wanted, head }: OutputChoice,
): string {
  const names = outputs.map((o) => o.name);
  if (wanted !== undefined) {
    if (!names.includes(wanted)) throw noSuchOutput(names, wanted);
    return wanted;
  }
  const preferred = head
    ? ['last_hidden_state', 'hidden_states', 'output', 'pooler_output']
    : ['logits', 'output'];
  const known = preferred.find((p) => names.includes(p));
  if (known) return known;
  const float = outputs.filter((o) => o.float);
  if (float.length === 1) return float[0].name;
  throw new AuroraError(
    'model',
    `The model has the outputs ${names.join(', ')}; it is not clear which one the ${head ? 'head' : 'loss'} should read.`,
    'Name it in the experiment: "model": { "output": "…" }.',
  );
}

export function noSuchOutput(names: readonly string[], name: string): AuroraError {
  return new AuroraError(
    'model',
    `The model has no output "${name}"; it has ${names.join(', ')}.`,
    'Correct "model.output" in the experiment.',
  );
}

/** A layer of a model's summary, with the facts that follow from the output that a task reads. */
export type TaskLayer = LayerSummary & { unreached: boolean };

/**
 * The layers of a model, marked for a task. If its output is ambiguous, a layer counts as reached when any output
 * depends on it.
 */
export function taskLayers({ layers, outputs }: ModelSummary, choice: OutputChoice): TaskLayer[] {
  const output = outputOf(
    outputs.map(({ name, type }) => ({ name, float: !/int|bool|string/.test(type) })),
    choice,
  );
  return layers.map((l) => ({
    ...l,
    unreached: output === undefined ? l.reaches.length === 0 : !l.reaches.includes(output),
  }));
}

function outputOf(outputs: readonly DeclaredOutput[], choice: OutputChoice): string | undefined {
  try {
    return taskOutput(outputs, choice);
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}
