import { escapeControls } from '../../base/escape';
import { count } from '../../base/number-text';
import { setName, type MeasuredOn } from '../../experiment/evaluation-sets';
import { formatMetric, metricInfo, metricValue } from '../../experiment/metrics';
import { shownMetrics } from '../../experiment/shown-metrics';
import { absentWords } from '../../protocol/absent-labels';
import { tellingOrder } from '../../protocol/answers/examples';
import { isGraded, wrongOf } from '../../protocol/answers/kinds';
import type { Predictions } from '../../protocol/predictions';
import { rowName } from '../../protocol/row-place';
import { answersParts, exampleText, shorter } from '../answer-text';

/** A model's errors as terminal text. */
export function errorsText(
  predictions: Predictions,
  file: string,
  top: number,
  on: MeasuredOn = 'validation',
): string {
  const wrong = wrongOf(predictions);
  const all = [
    headline(predictions, wrong, on),
    ...answersParts(predictions, wrong),
    ...(top > 0 ? [texts(predictions, wrong, top)] : []),
    [`Full results: ${file}`],
  ];
  const shown = all.filter((part) => part.length > 0);
  return `${shown.map((part) => part.join('\n')).join('\n\n')}\n`;
}

function headline(predictions: Predictions, wrong: Uint8Array, on: MeasuredOn): string[] {
  const { step, form, metrics, data, inputs } = predictions;
  const absent = absentWords(metrics);
  const right = wrong.length - wrong.reduce((n, w) => n + w, 0);
  const numbers = shownMetrics(undefined, metrics).map(
    (m) => `${metricInfo(m).label} ${formatMetric(m, metricValue(metrics, m))}`,
  );
  const examples =
    on === 'validation' || on === 'test'
      ? `${count(wrong.length)} ${on} examples`
      : `${count(wrong.length)} examples of ${setName(on)}`;
  return [
    `Step ${step}${form === 'static' ? ', static form' : ''}${isGraded(predictions.answer) ? `, ${examples}` : `: ${count(right)} of ${examples} are right`} · ${numbers.join(' · ')}`,
    `Data     ${data.file}`,
    ...(absent === undefined ? [] : [absent]),
    ...[...(inputs?.changed ?? []), ...(inputs?.notes ?? [])].map((words) => `warning: ${words}`),
    ...(inputs?.changed.length ? ['These metrics are not those of the trained model.'] : []),
  ];
}

function texts(predictions: Predictions, wrong: Uint8Array, top: number): string[] {
  const { columns, excerpts, data } = predictions;
  const known = new Map(excerpts.map((excerpt) => [excerpt.example, excerpt]));
  const shown = tellingOrder(columns, wrong).slice(0, top);
  const lines = shown.flatMap((i) => {
    const excerpt = known.get(i);
    const words = exampleText(predictions, i, wrong[i] === 1, excerpt);
    const lines = [
      `  ${rowName(data.file, columns.line[i], data.parts)}: ${words}`,
      ...[excerpt?.text, excerpt?.pair].flatMap((text) =>
        text === undefined ? [] : [`    ${shorter(text)}`],
      ),
    ];
    return lines.map((line) => escapeControls(line));
  });
  return [
    `The ${shown.length === 1 ? 'most informative example' : `${shown.length} most informative examples`}`,
    ...lines,
  ];
}
