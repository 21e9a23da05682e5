import { escapeControls } from '../../../base/controls';
import { bytes, count } from '../../../base/number-text';
import { stepTime } from '../../../base/time-text';
import { wrap } from '../../../base/wrap';
import type {
  FoundRepo,
  GotReference,
  HubData,
  HubModel,
  HubRepo,
  ModelVerdict,
} from '../../../protocol/hub';
import { table } from '../../table';

const WIDTH = 112;
/** Files that are named before the rest is counted, and labels likewise. */
const NAMED = 12;

/** The planned download, and the facts that are known before it. */
export function planText(shown: HubModel | HubData): string {
  const lines = [
    `${shown.id}@${shown.commit.slice(0, 7)}${facts(shown)}`,
    ...(shown.card === undefined ? [] : ['', ...shown.card.split('\n').map((line) => `  │ ${line}`), '']),
    ...(shown.kind === 'model' ? verdictLines(shown.verdict) : splitLines(shown)),
    ...table(shown.files.slice(0, NAMED).map(({ path, size }) => [`  ${path}`, bytes(size)])),
    ...(shown.files.length > NAMED ? [`  and ${count(shown.files.length - NAMED)} more files`] : []),
    sizeLine(shown),
  ];
  return `${lines.map((line) => escapeControls(line, '\t')).join('\n')}\n`;
}

function facts({ task, licence, gated, private: own }: HubRepo): string {
  const known = [task, licence, gated && 'gated', own && 'private'].filter(Boolean);
  return known.length === 0 ? '' : ` · ${known.join(' · ')}`;
}

function sizeLine({ size, cached, host }: HubRepo): string {
  const left = size - cached;
  if (left === 0) return `${bytes(size)}, all of it in the cache.`;
  const already = cached > 0 ? `, of which ${bytes(cached)} are in the cache` : '';
  return `${bytes(size)}${already}, from ${host} and the storage that it redirects to.`;
}

export function verdictLines(verdict: ModelVerdict): string[] {
  if (verdict.usable !== true) {
    const { problem } = verdict;
    const hint = 'hint' in verdict ? verdict.hint : undefined;
    const text = verdict.usable === false ? `Cannot be trained on: ${problem}` : problem;
    return wrap([text, ...(hint === undefined ? [] : [hint])].join(' '), WIDTH - 2).map(
      (line) => `  ${line}`,
    );
  }
  const { family, parameters, layers, blocked, step } = verdict;
  const size = `batch ${step.batch}${step.length === undefined ? '' : ` × ${step.length} tokens`}`;
  const { memory, time } = step;
  const fits =
    memory?.available === undefined
      ? ''
      : memory.total > memory.available
        ? `, more than the ${bytes(memory.available)} that are available`
        : `, of ${bytes(memory.available)} available`;
  return [
    `  ${family === undefined ? 'ONNX' : family}, ${count(parameters)} parameters; ${count(layers)} modules can be adapted${blocked > 0 ? `, ${count(blocked)} of them without a gradient` : ''}`,
    memory
      ? `  a training step (${size}): ${bytes(memory.total)} of memory${fits}${time ? `, about ${stepTime(time.seconds)}` : ''}`
      : `  ${step.problem}`,
  ];
}

function splitLines({ config, splits, configs }: HubData): string[] {
  if (splits.length === 0) return [];
  const others = configs.filter((name) => name !== config);
  return [
    ...(config === ''
      ? []
      : [`  configuration ${config}${others.length > 0 ? ` (others: ${some(others)})` : ''}`]),
    ...table(
      splits.map(({ name, files, size, partial }) => [
        `  ${name}`,
        bytes(size),
        files === 1 ? '' : `${count(files)} files`,
        partial ? 'only its beginning: the hub converts the first gigabytes of large data sets' : '',
      ]),
    ),
  ];
}

/** The lines of an experiment that uses it. */
export function gotText(got: readonly GotReference[]): string {
  const lines = got.flatMap(({ reference, split, columns = [] }) => [
    split === undefined ? reference : `${split}: ${reference}`,
    ...columns.map(
      ({ name, labels }) =>
        `  ${name}${labels === undefined ? '' : `: ${count(labels.length)} labels, ${some(labels)}`}`,
    ),
  ]);
  return `${lines.map((line) => escapeControls(line)).join('\n')}\n`;
}

export function foundText(repos: readonly FoundRepo[]): string {
  const rows = repos.map(({ id, task, licence, downloads, size, changed, gated }) => [
    id,
    task ?? '',
    licence ?? '',
    size === undefined ? '' : bytes(size),
    count(downloads),
    changed?.slice(0, 10) ?? '',
    gated ? 'gated' : '',
  ]);
  return `${table([['name', 'task', 'license', 'size', 'downloads', 'changed', ''], ...rows], '   ').join('\n')}\n`;
}

const some = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${count(names.length - NAMED)} more` : '');
