import { basename } from 'node:path';
import type { EvaluationMetrics } from '../../shared/events';
import { isStaticForm, type ExportForm, type ExportRecord } from '../../shared/export';
import { sortedJson } from '../../shared/sorted-json';
import type { BaseModel } from '../base-model';
import type { Trained } from '../trained';
import { useOf } from './card-use';

const WHAT: Record<ExportForm, string> = {
  adapter: 'the adapter, in PEFT’s file layout, with a loader for PyTorch',
  'peft-lora': 'the adapter as a LoRA of PEFT',
  'onnx-dynamic': 'the base model in ONNX with the adapters as nodes: what was trained',
  'onnx-merged': 'the base model in ONNX with the adapters merged into its weights',
  'onnx-adapter-inputs': 'the base model in ONNX with the adapters as inputs, and their numbers',
};

/** README.md of an export: what it is, how good, made of what, by whose leave. Markdown with the front matter of model hubs. */
export function modelCard(trained: Trained, record: ExportRecord, base: BaseModel): string {
  const parts = [
    frontMatter(record, base),
    `# ${trained.run.spec.name}`,
    `${capital(WHAT[record.form])}. ${methodWords(trained)} of **${base.name}**, ${origin(trained)}${thousands(record.step)} steps, trained with AuroRA Lab ${record.version} (run \`${record.run}\`).`,
    '## Metrics',
    metricsTable(trained, record),
    ...gap(trained, record),
    '## Use',
    useOf(record.form, trained.task),
    '## Data',
    data(trained),
    '## Settings',
    ['```json', shortLists(sortedJson(settings(trained), 2)), '```'].join('\n'),
    ...environment(trained),
    '## Licence',
    licence(record.form, base),
  ];
  return `${parts.join('\n\n')}\n`;
}

function frontMatter({ form }: ExportRecord, { name, license }: BaseModel): string {
  const peft = form === 'adapter' || form === 'peft-lora';
  return [
    '---',
    `base_model: ${JSON.stringify(name)}`,
    ...(peft ? ['library_name: peft'] : []),
    ...(license.id ? [`license: ${license.id.toLowerCase()}`] : []),
    'pipeline_tag: text-classification',
    `tags: [aurora, ${peft ? 'lora' : 'onnx'}]`,
    '---',
  ].join('\n');
}

function methodWords({ run: { spec }, task, form }: Trained): string {
  const { adapter } = spec;
  if (adapter.method === 'none') return 'A linear head on the frozen states';
  const name = adapter.method === 'aurora' ? 'AuroRA' : 'LoRA';
  const last = form === 'static' ? ', its static form trained last,' : '';
  return `${name} of rank ${adapter.rank} (alpha ${adapter.alpha})${last} on ${task.adapters.length} modules`;
}

/** An imported adapter had its training elsewhere. */
function origin({ run }: Trained): string {
  const imported = run.events.find((e) => e.kind === 'imported');
  return imported ? `imported from \`${imported.adapter}\`, and after that ` : 'after ';
}

function metricsTable({ task, form }: Trained, { metrics, form: exported }: ExportRecord): string {
  const aurora = task.spec.adapter.method === 'aurora';
  const trainedRow = `as trained${aurora ? ` (${form})` : ''}`;
  const other = form === 'dynamic' ? 'static' : 'dynamic';
  return [
    `On ${thousands(metrics.exported.examples)} validation texts, in ONNX Runtime on a CPU:`,
    '',
    '| | loss | accuracy | F1 | MCC |',
    '| --- | ---: | ---: | ---: | ---: |',
    row(trainedRow, metrics[form]),
    ...(aurora ? [row(`the ${other} form`, metrics[other])] : []),
    row(`**these files** (${exported})`, metrics.exported),
  ].join('\n');
}

const row = (name: string, m: EvaluationMetrics): string =>
  `| ${name} | ${m.loss.toFixed(4)} | ${percent(m.accuracy)} | ${percent(m.f1)} | ${m.matthews.toFixed(3)} |`;

function gap({ task, form }: Trained, { drop, form: exported, largestDifference }: ExportRecord): string[] {
  const exact = `The logits of these files differ from those of the ${isStaticForm(exported) ? 'static' : form} form by ${largestDifference.toExponential(1)} at most.`;
  if (task.spec.adapter.method !== 'aurora') return [exact];
  const merged = isStaticForm(exported) && form === 'dynamic';
  return [
    merged
      ? `Merging AuroRA changes the function, since its layer is not linear: here it costs ${drop.points.toFixed(2)} points of ${drop.metric}. ${exact}`
      : exact,
  ];
}

function data({ run, at, task, labels }: Trained): string {
  const { spec } = run;
  const chosen = at === 'best' && run.events.filter((e) => e.kind === 'evaluation').length > 1;
  const { train, validation } = task.data;
  const file = (path: string) => `\`${basename(path)}\``;
  const held = spec.data.validation === undefined;
  return [
    `- Training: ${thousands(train.dataset.examples.length)} texts of ${file(train.path)}${held ? `, without the ${percent(spec.data.validationFraction)} held out` : ''}.`,
    `- Validation: ${thousands(validation.dataset.examples.length)} texts ${held ? 'held out of the same file' : `of ${file(validation.path)}`}.${chosen ? ' The step was chosen on them, so that the numbers above flatter a little.' : ''}`,
    `- Texts are cut at ${spec.model.maxLength} tokens.`,
    `- ${labels.length} labels, in the order of the logits: ${labels.map((l) => `\`${l}\``).join(', ')}.`,
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
  // Where it was trained is nobody's business.
  const shown = Object.entries(environment).filter(([key]) => key !== 'host');
  const rows = shown.map(([key, value]) => `| ${key} | ${String(value)} |`);
  return ['## Environment', ['| | |', '| --- | --- |', ...rows].join('\n')];
}

function licence(form: ExportForm, { name, license: { id, files } }: BaseModel): string {
  const weights = form.startsWith('onnx-')
    ? `These files hold weights of ${name}`
    : `${name} is not in here, but needed`;
  const said = id
    ? `whose licence is ${id}`
    : 'whose licence is not said by anything that lay beside it: find out before you pass this on';
  const text =
    files.length && form.startsWith('onnx-')
      ? ` Its text is in ${files.map((f) => `\`${f}\``).join(', ')}.`
      : '';
  return `${weights}, ${said}.${text}`;
}

const thousands = (n: number): string => n.toLocaleString('en');
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const capital = (text: string): string => text[0].toUpperCase() + text.slice(1);
