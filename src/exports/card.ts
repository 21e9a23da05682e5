import { basename } from 'node:path';
import { changeText, shownMetrics } from '../experiment/shown-metrics';
import { metricCells, metricHeads, type Metrics } from '../experiment/metrics';
import { hubReferenceText, referenceOf } from '../experiment/hub-reference';
import { percent, count, errorText } from '../base/number-text';
import type { EvaluationMetrics } from '../protocol/events';
import { quantizationWords } from '../protocol/quantize';
import {
  isStaticForm,
  requantizedWords,
  roundingWords,
  type ExportForm,
  type ExportRecord,
} from '../protocol/export';
import { codeSpan, plainWords } from '../base/escape';
import { isHeadAlone, isNonlinear, methodName, type TrainedSpec } from '../experiment/methods';
import { scoresOf } from '../protocol/evaluations';
import { sortedJson } from '../base/sorted-json';
import type { BaseModel } from '../peft/base-model';
import type { Trained } from '../training/checkpoint/trained-run';
import type { Task } from '../training/task/task';
import { cardAnswer } from './card-answers';
import { cardInput } from './card-inputs';
import { useOf } from './card-use';
import { pictureUse } from './card-use-pictures';
import { PEFT_TYPE, readByPeft } from '../peft/adapter-config';
import { valueText } from '../experiment/sweep';
import { describeTask } from '../experiment/tasks/registry';
import { capital } from '../base/text';

const WHAT: Record<ExportForm, string> = {
  adapter: 'the adapter in PEFT’s file layout, with a PyTorch loader',
  'peft-lora': 'the adapter as a PEFT LoRA',
  'onnx-dynamic': 'the base model in ONNX with the adapters as nodes, exactly as trained',
  'onnx-merged': 'the base model in ONNX with the adapters merged into its weights',
  'onnx-adapter-inputs': 'the base model in ONNX with the adapters as inputs, and their weights',
  safetensors: 'the base model’s folder with the adapters merged into its weights',
};

/** True if diffusers is the library that reads it. */
const isPicture = ({ spec }: Task): boolean => describeTask(spec.task.type).answer === 'picture';

const whatOf = (form: ExportForm, task: Task): string =>
  form === 'peft-lora' && isPicture(task) ? 'the adapter as a LoRA in diffusers’ layout' : WHAT[form];

/**
 * README.md of an export: its purpose, its scores, its sources, and its license. Markdown with the front matter of
 * model hubs.
 */
export function modelCard(trained: Trained, record: ExportRecord, base: BaseModel): string {
  const parts = [
    frontMatter(trained, record, base),
    `# ${plainWords(trained.run.spec.name)}`,
    `${capital(whatOf(record.form, trained.task))}. ${methodWords(trained)} of **${plainWords(base.name)}**, ${origin(trained)} AuroRA Lab ${record.version} (run ${codeSpan(record.run)}).`,
    ...inputsWarning(record),
    '## Metrics',
    metricsTable(trained, record),
    ...gap(trained, record),
    ...scoresPart(trained),
    ...quantizationPart(trained),
    '## Use',
    (isPicture(trained.task) ? pictureUse(record.form, trained.task, base) : undefined) ??
      useOf(record, trained.task),
    '## Data',
    data(trained),
    '## Settings',
    ['```json', shortLists(sortedJson(settings(trained), 2)), '```'].join('\n'),
    ...environment(trained),
    '## License',
    license(record.form, base),
  ];
  return `${parts.join('\n\n')}\n`;
}

function frontMatter(
  { task }: Trained,
  { form }: ExportRecord,
  { name, license: { id } }: BaseModel,
): string {
  const { adapter, task: settings } = task.spec;
  const ofDiffusers = isPicture(task);
  // PEFT loads these, but not AuroRA's dynamic form in its layout.
  const peft = form === 'peft-lora' || (form === 'adapter' && readByPeft(adapter));
  const tags = new Set([
    ...(isHeadAlone(adapter) ? [] : [adapter.method]),
    // The Hub tags PEFT types in lower case.
    ...(peft ? [PEFT_TYPE.toLowerCase()] : []),
    ...(isOnnx(form) ? ['onnx'] : []),
    ...(ofDiffusers ? ['diffusers'] : []),
  ]);
  return [
    '---',
    `base_model: ${JSON.stringify(name)}`,
    ...libraryLine(form, peft, ofDiffusers),
    ...(id ? [`license: ${/^[\w.+-]+$/.test(id) ? id.toLowerCase() : JSON.stringify(id)}`] : []),
    `pipeline_tag: ${describeTask(settings.type).pipelineTag}`,
    ...(settings.instancePrompt === undefined
      ? []
      : [`instance_prompt: ${JSON.stringify(settings.instancePrompt)}`]),
    ...(tags.size > 0 ? [`tags: [${[...tags].join(', ')}]`] : []),
    '---',
  ].join('\n');
}

function libraryLine(form: ExportForm, peft: boolean, ofDiffusers: boolean): string[] {
  if (form === 'safetensors') return [`library_name: ${ofDiffusers ? 'diffusers' : 'transformers'}`];
  if (ofDiffusers) return form === 'peft-lora' ? ['library_name: diffusers'] : [];
  return peft ? ['library_name: peft'] : [];
}

const isOnnx = (form: ExportForm): boolean => form.startsWith('onnx-');
const hasWeights = (form: ExportForm): boolean => isOnnx(form) || form === 'safetensors';

function methodWords({ run: { spec }, task, form }: Trained): string {
  const { adapter } = spec;
  if (isHeadAlone(adapter)) return 'A linear head on the frozen hidden states';
  const last = form === 'static' ? ', trained last in its static form,' : '';
  return `${methodName(adapter)}${sizeWords(adapter)}${last} on ${task.adapters.length} modules`;
}

function sizeWords(adapter: TrainedSpec): string {
  if ('alpha' in adapter) return ` of rank ${adapter.rank} (alpha ${adapter.alpha})`;
  if ('rank' in adapter) return ` of rank ${adapter.rank}`;
  return 'frequencies' in adapter ? ` with ${adapter.frequencies} frequencies` : '';
}

const importOf = ({ run }: Trained) => run.events.find((e) => e.kind === 'imported');

/** An imported adapter was trained elsewhere. */
function origin(trained: Trained): string {
  const imported = importOf(trained);
  const from = imported ? `imported from ${codeSpan(imported.adapter)}` : '';
  const { step } = trained;
  if (imported && step === 0) return `${from} into`;
  return `${imported ? `${from}, then ` : ''}trained for ${count(step)} steps with`;
}

/** Nothing has been trained here yet. */
const isAsImported = (trained: Trained): boolean => trained.step === 0 && importOf(trained) !== undefined;

/** If the files read are not the training files, the numbers here do not describe the trained model. */
function inputsWarning({ inputs }: ExportRecord): string[] {
  if (!inputs) return [];
  const changed = inputs.changed.length > 0;
  const words = [
    ...(changed ? ['**These files and metrics are not those of the trained model.**'] : []),
    ...[...inputs.changed, ...inputs.notes].map(plainWords),
  ];
  return [words.map((line) => `> ${line}`).join('\n>\n')];
}

function metricsTable(trained: Trained, { metrics, form: exported, inputs }: ExportRecord): string {
  const { task, form } = trained;
  const nonlinear = isNonlinear(task.spec.adapter);
  const origin = isAsImported(trained) ? 'imported' : 'trained';
  const trainedRow = `${inputs?.changed.length ? 'on changed files' : `as ${origin}`}${nonlinear ? ` (${form})` : ''}`;
  const names = shownMetrics(task.spec.training.metric, metrics.exported);
  const row = (name: string, m: EvaluationMetrics) => `| ${name} | ${metricCells(names, m).join(' | ')} |`;
  const other = form === 'dynamic' ? 'static' : 'dynamic';
  return [
    `On ${count(metrics.exported.examples)} validation examples, in ONNX Runtime on a CPU:`,
    '',
    `| | ${metricHeads(names).join(' | ')} |`,
    `| --- |${names.map(() => ' ---: |').join('')}`,
    row(trainedRow, metrics[form]),
    ...(nonlinear ? [row(`the ${other} form`, metrics[other])] : []),
    row(`**these files** (${exported})`, metrics.exported),
  ].join('\n');
}

/** The section on the cost of model.quantize. */
function quantizationPart({ run }: Trained): string[] {
  const cost = run.events.findLast((e) => e.kind === 'quantization-cost');
  return cost ? [quantizationWords(cost)] : [];
}

/** The section on scores on sets that training did not see, if these files are of the step that was scored. */
function scoresPart({ run, step, form }: Trained): string[] {
  const scores = scoresOf(run.events, run.spec.data);
  if (!scores || scores.step !== step) return [];
  const { test, sets, mean } = scores;
  const all: (readonly [string, Metrics | 'diverged'])[] = [
    ...(test === undefined ? [] : [['test', test] as const]),
    ...sets.map(({ name, score }) => [plainWords(name), score] as const),
    ...(mean === undefined || sets.length < 2 ? [] : [[`mean of ${sets.length} sets`, mean] as const]),
  ];
  const names = shownMetrics(
    run.spec.training.metric,
    ...all.flatMap(([, score]) => (score === 'diverged' ? [] : [score])),
  );
  const cells = (score: Metrics | 'diverged') =>
    score === 'diverged' ? names.map(() => 'diverged') : metricCells(names, score);
  return [
    `On data that training did not see, as trained${isNonlinear(run.spec.adapter) ? ` (${form})` : ''}, scored once at the end of the run:`,
    [
      `| | examples | ${metricHeads(names).join(' | ')} |`,
      `| --- | ---: |${names.map(() => ' ---: |').join('')}`,
      ...all.map(([name, score]) => `| ${name} | ${examplesCell(score)} | ${cells(score).join(' | ')} |`),
    ].join('\n'),
  ];
}

const examplesCell = (score: Metrics | 'diverged'): string =>
  score !== 'diverged' && 'examples' in score ? count(score.examples as number) : '–';

function gap(
  { task, form }: Trained,
  { drop, form: exported, largestDifference, rounding, requantized }: ExportRecord,
): string[] {
  const rounded = rounding
    ? ` ${roundingWords(rounding)}`
    : requantized
      ? ` ${requantizedWords(requantized)}`
      : '';
  const exact = `The logits of these files differ from the ${isStaticForm(exported) ? 'static' : form} form’s by at most ${errorText(largestDifference)}.${rounded}`;
  if (!isNonlinear(task.spec.adapter)) return [exact];
  const merged = isStaticForm(exported) && form === 'dynamic';
  return [
    merged
      ? `Merging AuroRA changes the function because its layer is not linear; here the ${changeText(drop.metric, drop.loss)}. ${exact}`
      : exact,
  ];
}

function data(trained: Trained): string {
  const { run, at, task, trainExamples } = trained;
  const { spec } = run;
  const chosen = at === 'best' && run.events.filter((e) => e.kind === 'evaluation').length > 1;
  const { train, validation } = task.data;
  const file = (path: string) => {
    const ref = referenceOf(path);
    return codeSpan(ref ? hubReferenceText(ref) : basename(path));
  };
  const { validationFraction: share } = spec.data;
  // With a share of 0, the training rows themselves are measured.
  const own = spec.data.validation === undefined && share === 0;
  const held = spec.data.validation === undefined && !own;
  const measured = own
    ? 'from the training data'
    : held
      ? 'held out from the same file'
      : `from ${file(validation.path)}`;
  return [
    isAsImported(trained)
      ? '- Training: unknown, because the adapter was imported.'
      : `- Training: ${count(trainExamples)} examples from ${file(train.path)}${held ? `, without the ${percent(share)} held out` : ''}.`,
    `- Validation: ${count(validation.dataset.examples.length)} examples ${measured}.${chosen ? ' The step was chosen on them, so the metrics above are slightly optimistic.' : ''}`,
    `- ${cardInput(task).prepared}`,
    `- ${cardAnswer(task).outputs}`,
  ].join('\n');
}

/** Lists of plain values on one line. */
const shortLists = (json: string): string =>
  json.replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, items: string) => `[${items.replace(/\s*\n\s*/g, ' ')}]`);

function settings({ run: { spec } }: Trained): unknown {
  const { adapter, task, training } = spec;
  return { adapter, task, training };
}

function environment({ environment }: Trained): string[] {
  if (!environment) return [];
  // The location of the run is private.
  const shown = Object.entries(environment).filter(([key]) => key !== 'host');
  const rows = shown.map(([key, value]) => `| ${key} | ${plainWords(valueText(value))} |`);
  return ['## Environment', ['| | |', '| --- | --- |', ...rows].join('\n')];
}

function license(form: ExportForm, { name, license: { id, files } }: BaseModel): string {
  const base = plainWords(name);
  const weights = hasWeights(form)
    ? `These files contain weights of ${base}.`
    : `The base model, ${base}, is required but not included.`;
  const said = id
    ? `The license of the base model is ${plainWords(id)}.`
    : 'The files beside the base model do not state its license: check it before you redistribute this.';
  const text =
    files.length && hasWeights(form) ? ` The license text is in ${files.map(codeSpan).join(', ')}.` : '';
  return `${weights} ${said}${text}`;
}
