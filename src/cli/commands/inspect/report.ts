import type { Inspection } from '../../../adapters/inspection';
import { bytes, count, shortNumber } from '../../../base/number-text';
import { stepTime } from '../../../base/time-text';
import { METHOD_NAMES, type MethodName } from '../../../experiment/methods';
import type { ModelSummary } from '../../../graph/summary';
import type { StepCost, StepMemory } from '../../../protocol/step-cost';
import { table } from '../../table';

/** Nodes and layers that are named before the rest is counted. */
const NAMED = 5;

export function inspectionText(path: string, s: Inspection): string {
  const value = (v: ModelSummary['inputs'][number]) =>
    `${v.name} ${v.type} [${v.shape?.map((d) => d ?? '?').join(', ') ?? '?'}]`;
  const outputs = s.outputs.map((o) => o.name);
  const kind = s.family
    ? `${s.family}${s.positions === undefined ? '' : `, up to ${count(s.positions)} tokens`}`
    : `opset ${s.opset}${s.producer ? `, from ${s.producer}` : ''}`;
  const lines = [
    `${path}: ${count(s.parameters)} parameters, ${kind}`,
    `weights  ${weightsText(s.weights)}`,
    ...(s.parts ?? []).map(
      (part) =>
        `${part.name}: ${count(part.parameters)} parameters, ${part.family} (${weightsText(part.weights)})`,
    ),
    `inputs   ${s.inputs.map(value).join(' · ')}`,
    `outputs  ${s.outputs.map(value).join(' · ')}`,
    ...(s.cachedLayers
      ? [`cache    keys and values of ${s.cachedLayers} layers; empty in training, used to write texts`]
      : []),
    '',
    `${s.layers.length} linear layers (module path, in → out):`,
    ...table(s.layers.map((l) => [`  ${l.path}`, `${l.inFeatures} → ${l.outFeatures}`, notes(l, outputs)])),
    '',
    ...gradientLines(s),
    '',
    ...(s.steps ? severalLines(s.steps) : stepLines(s.step)),
  ];
  return `${lines.join('\n')}\n`;
}

const weightsText = (weights: Inspection['weights']): string =>
  weights.map((w) => `${w.type}, ${bytes(w.bytes)}`).join(' · ');

function gradientLines({ missingRules, blocked, layers }: Inspection): string[] {
  if (missingRules.length === 0)
    return ['Every operator between these layers and the outputs has a gradient rule.'];
  const others = layers.length - blocked.length;
  return [
    'Gradients cannot pass these operators; adapters below them cannot be trained:',
    ...missingRules.map(({ operator, nodes }) => `  ${operator}: ${some(nodes)}`),
    `${count(blocked.length)} of the ${count(layers.length)} layers are below them: ${some(blocked)}.`,
    others > 0
      ? `Adapt the other ${count(others)} layers, or export the model again without graph optimization.`
      : 'Export the model again without graph optimization.',
  ];
}

const some = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${count(names.length - NAMED)} more` : '');

const methodText = ({ method, rank }: StepCost): string =>
  `${METHOD_NAMES[method as MethodName] ?? 'the head alone'}${rank === undefined ? '' : ` of rank ${rank}`}`;
const sizeText = ({ batch, length }: StepCost): string =>
  `batch ${batch}${length === undefined ? '' : ` × ${length} tokens`}`;

/** A line for each size. */
function severalLines(steps: readonly StepCost[]): string[] {
  const [{ memory, time }] = steps;
  const rows = steps.map((step) => [
    `  ${sizeText(step)}`,
    step.memory ? bytes(step.memory.total) : (step.problem ?? ''),
    step.time ? `about ${stepTime(step.time.seconds)}` : '',
  ]);
  return [
    `Training steps on this CPU, estimated (${methodText(steps[0])}):`,
    ...table(rows),
    ...(memory?.available === undefined ? [] : [`  ${bytes(memory.available)} of memory are available.`]),
    ...(memory && !time ? [`  ${steps[0].problem}`] : []),
    ...(memory ? [PREFLIGHT] : []),
  ];
}

const PREFLIGHT = '`aurora preflight` measures an experiment.';

function stepLines(step: StepCost): string[] {
  const { memory, time, problem } = step;
  return [
    `A training step on this CPU, estimated (${methodText(step)}, ${sizeText(step)}):`,
    ...(memory ? memoryLines(memory) : []),
    ...(time
      ? [
          `  time    about ${stepTime(time.seconds)}: ${shortNumber(time.flops / 1e9)} GFLOP, at ${shortNumber(time.rates.gflops)} GFLOP/s and ${bytes(time.rates.bytesPerSecond)}/s (measured on ${day(time.rates.at)})`,
        ]
      : []),
    ...(problem === undefined ? [] : [`  ${problem}`]),
    ...(memory ? [PREFLIGHT] : []),
  ];
}

function memoryLines({ total, available, ...parts }: StepMemory): string[] {
  const fits =
    available === undefined
      ? ''
      : `, of ${bytes(available)} available${total > available ? ': it does not fit' : ''}`;
  const { program, weights, activations, evaluation, trained } = parts;
  return [
    `  memory  ${bytes(total)}${fits}`,
    `          weights ${bytes(weights)}, activations ${bytes(activations)}, evaluation ${bytes(evaluation)}, adapter ${bytes(trained)}, program ${bytes(program)}`,
  ];
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

type Layer = ModelSummary['layers'][number];

/** The outputs that depend on a layer, unless all do: a task that reads another output cannot train the layer. */
function reaching({ reaches }: Layer, outputs: readonly string[]): string {
  if (reaches.length === 0) return 'reaches no output';
  return reaches.length < outputs.length ? `reaches only ${reaches.join(', ')}` : '';
}

function notes(l: Layer, outputs: readonly string[]): string {
  return [
    reaching(l, outputs),
    l.output ? 'the model\'s own output: left out by "all-linear"' : '',
    l.calls > 1 ? `called ${l.calls} times` : '',
    l.sharedWith.length ? `weight shared with ${l.sharedWith.join(', ')}` : '',
    l.mergeable ? '' : 'weight is computed: cannot be merged',
  ]
    .filter((t) => t)
    .join('; ');
}
