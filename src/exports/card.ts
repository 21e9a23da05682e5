import { basename } from 'node:path';
import { methodOf } from '../adapters/methods/registry';
import { metricCells, metricHeads, type Metrics } from '../experiment/metrics';
import { shownMetrics } from '../experiment/shown-metrics';
import { hubReferenceText, referenceOf } from '../experiment/hub-reference';
import { codeSpan } from '../base/escape';
import { percent, count } from '../base/number-text';
import { combinationText } from '../protocol/combination-record';
import type { ImportedEvent } from '../protocol/events';
import { quantizationWords } from '../protocol/quantize';
import type { ExportForm, ExportRecord } from '../protocol/export';
import { formContent } from '../protocol/export-forms';
import { exportRemarks } from '../protocol/inputs-words';
import { differenceParts, exportMetrics } from '../protocol/reports/export-report';
import { markdownText } from '../protocol/reports/markdown-text';
import { warningsPart, type Part, type Report } from '../protocol/reports/report';
import { isHeadAlone, methodName, sizeOf, type TrainedSpec } from '../experiment/methods';
import { scoresOf } from '../protocol/evaluations';
import { limitsPart } from '../protocol/vllm-limits';
import { sortedJson } from '../base/sorted-json';
import type { BaseModel } from '../peft/base-model';
import type { Trained } from '../training/checkpoint/trained-run';
import type { Task } from '../training/task/task';
import { cardAnswer, cardInput, useOf } from './card-use';
import { LORA_TYPE, readByPeft } from '../peft/adapter-config';
import { valueText } from '../experiment/sweep';
import { describeTask } from '../experiment/tasks/registry';

/** True if diffusers is the library that reads it. */
const isPicture = ({ spec }: Task): boolean => describeTask(spec.task.type).answer === 'picture';

/**
 * README.md of an export: its purpose, its scores, its sources, and its license. Markdown with the front matter of
 * model hubs.
 */
export function modelCard(trained: Trained, record: ExportRecord, base: BaseModel): string {
  const { form, version } = record;
  const { task } = trained;
  const report: Report = {
    title: trained.run.spec.name,
    parts: [
      formContent(form, isPicture(task) ? 'diffusers' : 'transformers'),
      `${methodWords(trained)} of ${codeSpan(base.name)}, ${origin(trained)} AuroRA Lab ${version} (run ${codeSpan(record.run)}).`,
      ...warningsPart(exportRemarks(record.inputs)),
      { heading: 'Metrics' },
      `On ${count(record.metrics.exported.examples)} validation examples, in ONNX Runtime on a CPU:`,
      exportMetrics(record, isAsImported(trained) ? 'as imported' : undefined),
      ...differenceParts(record),
      ...scoreParts(trained),
      ...quantizationPart(trained),
      { heading: 'Use' },
      ...useOf(record, task, base, trained.run.spec.name),
      ...(record.vllm ? limitsPart(record.vllm) : []),
      { heading: 'Data' },
      { list: dataLines(trained) },
      { heading: 'Settings' },
      { program: shortLists(sortedJson(settings(trained), 2)), language: 'json' },
      ...environmentParts(trained),
      { heading: 'License' },
      license(form, base),
    ],
  };
  return `${frontMatter(trained, record, base)}\n\n${markdownText(report)}`;
}

function frontMatter(
  { task }: Trained,
  { form }: ExportRecord,
  { name, license: { id } }: BaseModel,
): string {
  const { adapter, task: settings } = task.spec;
  const ofDiffusers = isPicture(task);
  // PEFT loads these, but not AuroRA as trained in its layout.
  const type =
    form === 'peft-lora' || form === 'kohya'
      ? LORA_TYPE
      : form === 'adapter' && !isHeadAlone(adapter) && readByPeft(task)
        ? methodOf(adapter).peft.type
        : undefined;
  const tags = new Set([
    ...(isHeadAlone(adapter) ? [] : [adapter.method]),
    // The Hub tags PEFT types in lower case.
    ...(type ? [type.toLowerCase()] : []),
    ...(isOnnx(form) ? ['onnx'] : []),
    ...(isGguf(form) ? ['gguf', 'llama.cpp'] : []),
    ...(ofDiffusers ? ['diffusers'] : []),
  ]);
  return [
    '---',
    `base_model: ${JSON.stringify(name)}`,
    ...libraryLine(form, type !== undefined, ofDiffusers),
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
const isGguf = (form: ExportForm): boolean => form === 'gguf' || form === 'gguf-lora';
const hasWeights = (form: ExportForm): boolean => isOnnx(form) || form === 'safetensors' || form === 'gguf';

function methodWords({ run: { spec }, task, form }: Trained): string {
  const { adapter } = spec;
  if (isHeadAlone(adapter)) return 'A linear head on the frozen hidden states';
  const last = form === 'static' ? ', trained last as the paper merges it,' : '';
  return `${methodName(adapter)}${sizeWords(adapter)}${last} on ${task.adapters.length} modules`;
}

function sizeWords(adapter: TrainedSpec): string {
  if ('alpha' in adapter) return ` of rank ${adapter.rank} (alpha ${adapter.alpha})`;
  const size = sizeOf(adapter);
  if (!size) return '';
  const [setting, value] = size;
  if (setting === 'rank') return ` of rank ${value}`;
  if (setting === 'frequencies') return ` with ${value} frequencies`;
  if (setting === 'blockNum') return value === 1 ? ' in one block' : ` in ${value} blocks`;
  return setting === 'blockSize' ? ` in blocks of ${value}` : ` with ${percent(value)} of the places`;
}

const importOf = ({ run }: Trained) => run.events.find((e) => e.kind === 'imported');

const importWords = ({ adapter, combination }: ImportedEvent): string =>
  combination
    ? `combined by ${codeSpan(combinationText(combination))}`
    : `imported from ${codeSpan(adapter)}`;

/** An imported adapter was trained elsewhere. */
function origin(trained: Trained): string {
  const imported = importOf(trained);
  const from = imported ? importWords(imported) : '';
  const { step } = trained;
  if (imported && step === 0) return `${from} into`;
  return `${imported ? `${from}, then ` : ''}trained for ${count(step)} steps with`;
}

/** Nothing has been trained here yet. */
const isAsImported = (trained: Trained): boolean => trained.step === 0 && importOf(trained) !== undefined;

/** The section on the cost of model.quantize. */
function quantizationPart({ run }: Trained): string[] {
  const cost = run.events.findLast((e) => e.kind === 'quantization-cost');
  return cost ? [quantizationWords(cost)] : [];
}

/** The scores on sets that training did not see, if these files are of the step that was scored. */
function scoreParts({ run, step }: Trained): Part[] {
  const scores = scoresOf(run.events, run.spec.data);
  if (!scores || scores.step !== step) return [];
  const { test, sets, mean } = scores;
  const all: (readonly [string, Metrics | 'diverged'])[] = [
    ...(test === undefined ? [] : [['test', test] as const]),
    ...sets.map(({ name, score }) => [name, score] as const),
    ...(mean === undefined || sets.length < 2 ? [] : [[`mean of ${sets.length} sets`, mean] as const]),
  ];
  const names = shownMetrics(
    run.spec.training.metric,
    ...all.flatMap(([, score]) => (score === 'diverged' ? [] : [score])),
  );
  const examples = (score: Metrics) => ('examples' in score ? count(score.examples as number) : '–');
  return [
    'On data that training did not see, as trained, scored once at the end of the run:',
    {
      columns: ['', ...['examples', ...metricHeads(names)].map((number) => ({ number }))],
      rows: all.map(([name, score]) =>
        score === 'diverged'
          ? [name, '–', ...names.map(() => 'diverged')]
          : [name, examples(score), ...metricCells(names, score)],
      ),
    },
  ];
}

function dataLines(trained: Trained): string[] {
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
      ? importOf(trained)!.combination
        ? 'Training: none of the combination itself; the adapters that it was made of were trained before.'
        : 'Training: unknown, because the adapter was imported.'
      : `Training: ${count(trainExamples)} examples from ${file(train.path)}${held ? `, without the ${percent(share)} held out` : ''}.`,
    `Validation: ${count(validation.dataset.examples.length)} examples ${measured}.${chosen ? ' The step was chosen on them, so the metrics above are slightly optimistic.' : ''}`,
    cardInput(task).prepared,
    cardAnswer(task).outputs,
  ];
}

/** Lists of plain values on one line. */
const shortLists = (json: string): string =>
  json.replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, items: string) => `[${items.replace(/\s*\n\s*/g, ' ')}]`);

function settings({ run: { spec } }: Trained): unknown {
  const { adapter, task, training } = spec;
  return { adapter, task, training };
}

function environmentParts({ environment }: Trained): Part[] {
  if (!environment) return [];
  // The location of the run is private.
  const rows = Object.entries(environment).filter(([key]) => key !== 'host');
  return [
    { heading: 'Environment' },
    { columns: ['', ''], rows: rows.map(([key, value]) => [key, valueText(value)]) },
  ];
}

function license(form: ExportForm, { name, license: { id, files } }: BaseModel): string {
  const weights = hasWeights(form)
    ? `These files contain weights of ${name}.`
    : `The base model, ${name}, is required but not included.`;
  const said = id
    ? `The license of the base model is ${id}.`
    : 'The files beside the base model do not state its license: check it before you redistribute this.';
  const text =
    files.length && hasWeights(form) ? ` The license text is in ${files.map(codeSpan).join(', ')}.` : '';
  return `${weights} ${said}${text}`;
}
