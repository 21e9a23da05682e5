import { either } from '../base/text';
import { editDistance } from '../base/nearest';
import { percent } from '../base/number-text';
import type { Experiment } from '../experiment/experiment';
import { metricInfo } from '../experiment/metrics';
import { describeTask } from '../experiment/tasks/registry';
import { labeled, type PreflightData } from '../protocol/preflight';
import type { DataFinding } from './kind';

/** Above this share of one label, always predicting it looks like success. */
const LOPSIDED = 0.9;
/** Names of labels in a message. */
const SHOWN = 5;

/** Finds a label that is nearly everywhere. */
export function lopsided({ task, training }: Experiment, { train, labels }: PreflightData): DataFinding[] {
  const most = labels.reduce((a, b) => (train.labels[b] > train.labels[a] ? b : a));
  const share = train.labels[most] / labeled(train);
  if (share < LOPSIDED) return [];
  const others = describeTask(task.type).metrics.filter((m) => !metricInfo(m).favorsFrequent);
  return [
    {
      key: 'data.train',
      message: `${percent(share)} of the training rows have the label "${most}": a model that always predicts it has a high accuracy.`,
      hint: metricInfo(training.metric).favorsFrequent
        ? `Set training.metric to ${either(others.map((m) => `"${m}"`))}, or balance the data.`
        : 'Judge by F1 or MCC, not by accuracy.',
    },
  ];
}

/** Fewer rows do not show the kind of a label column. */
const ENOUGH_ROWS = 20;

/** Labels that are hardly ever the same: another column, such as that of the rows' names. */
export function labelsLikeNames({ data }: Experiment, { train, labels }: PreflightData): DataFinding[] {
  const once = labels.filter((label) => train.labels[label] === 1).length;
  if (train.examples < ENOUGH_ROWS || once <= train.examples / 2) return [];
  return [
    {
      key: 'data.labelColumn',
      message: `${once} of ${train.examples} training rows have a label that no other row has, so nothing can be learned about it.`,
      hint: `Check data.labelColumn${data.labelColumn === undefined ? '' : ` ("${data.labelColumn}")`}.`,
    },
  ];
}

/** Labels of the training data that no validation row has. */
export function unmeasuredLabels({ validation, labels }: PreflightData): DataFinding[] {
  const missing = labels.filter((label) => validation.labels[label] === 0);
  if (missing.length === 0) return [];
  const shown = missing.slice(0, SHOWN).map((l) => `"${l}"`);
  const more = missing.length > SHOWN ? ` or ${missing.length - SHOWN} others` : '';
  return [
    {
      key: 'data.validation',
      message: `No validation row has the label ${shown.join(', ')}${more}.`,
      hint: 'Add such rows: otherwise, the model is not evaluated on them.',
    },
  ];
}

/** A misspelling is this much rarer than the label that was meant. */
const RARER = 10;

/**
 * Labels that differ from a more frequent one only in letter case or in spaces around them, and rare labels with one letter
 * wrong (two in long names). Each would be its own class. Numbers differ by one digit on purpose.
 */
export function misspelledLabels({ train, labels }: PreflightData): DataFinding[] {
  const count = (label: string) => train.labels[label];
  const frequent = new Map<string, string>();
  for (const label of labels) {
    const before = frequent.get(plain(label));
    if (before === undefined || count(label) > count(before)) frequent.set(plain(label), label);
  }
  // Among thousands of labels, few can be meant.
  const common = labels.filter((label) => count(label) >= RARER);
  const found = labels.flatMap((label) => {
    const same = frequent.get(plain(label));
    const meant =
      same === label
        ? common.find(
            (other) => other !== label && count(other) >= RARER * count(label) && looksLike(label, other),
          )
        : same;
    return meant === undefined ? [] : [{ label, meant }];
  });
  if (found.length === 0) return [];
  const rows = (n: number) => (n === 1 ? '1 row' : `${n} rows`);
  const shown = found
    .slice(0, SHOWN)
    .map(({ label, meant }) => `"${label}" (${rows(count(label))}) like "${meant}"`);
  const more = found.length > SHOWN ? ` and ${found.length - SHOWN} others` : '';
  return [
    {
      key: 'data.train',
      message: `Some labels look like misspellings of others: ${shown.join(', ')}${more}.`,
      hint: 'Correct them in the data: otherwise, each is a separate class.',
    },
  ];
}

const plain = (label: string): string => label.trim().toLowerCase();

function looksLike(label: string, other: string): boolean {
  if (/\d/.test(label)) return false;
  const [a, b] = [plain(label), plain(other)];
  const length = Math.max(a.length, b.length);
  const edits = length < 4 ? 0 : length < 10 ? 1 : 2;
  return editDistance(a, b) <= edits || (length >= 4 && isSwapped(a, b));
}

/** True if two neighboring letters have changed places: two edits, and one mistake. */
function isSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const at = [...a].findIndex((c, i) => c !== b[i]);
  return a === b.slice(0, at) + b[at + 1] + b[at] + b.slice(at + 2);
}
