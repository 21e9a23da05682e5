import { alarmName, alarmSentence, alarmsOf } from '../../../src/protocol/alarms';
import type { Mark } from '../../charts/marks';
import { t } from '../../../src/base/l10n';
import { formatCount } from '../format';
import type { RunData, XAxis } from '../model';

/** The events of a run as flags of its loss curve. @param several names the run in each */
export function marksOf(run: RunData, axis: XAxis, several = false): Mark[] {
  const marks: Mark[] = [];
  const add = (kind: Mark['kind'], step: number, label: string, more = '') => {
    const words = [t('Step {0}: {1}', formatCount(step), label), more].filter(Boolean).join('. ');
    const text = several ? `${run.facts?.name ?? run.folder}: ${words}` : words;
    marks.push({ x: place(run, step, axis), kind, label, text });
  };
  for (const step of run.facts?.checkpoints ?? []) add('checkpoint', step, t('checkpoint'));
  const best = run.evaluations.findLast((e) => e.best);
  if (best) add('best', best.step, t('best evaluation'));
  const { forked } = run;
  if (forked) add('fork', forked.fromStep, t('forked from {0}', forked.fromRun));
  for (const e of run.events) {
    if (e.kind === 'resumed' && e.fromStep > 0 && e.fromStep !== forked?.fromStep)
      add('resumed', e.fromStep, t('resumed'));
    else if (e.kind === 'warning') add('warning', run.stepAt(e.t), t('warning'), e.message);
    else if (e.kind === 'stopped')
      add('stopped', e.step, e.reason === 'early-stopping' ? t('stopped early') : t('stopped'));
    else if (e.kind === 'failed') add('stopped', e.step, t('failed'), e.message);
  }
  for (const alarm of alarmsOf(run.events))
    add('alarm', alarm.step, alarmName(alarm.alarm), alarmSentence(alarm).replace(/\.$/, ''));
  return marks;
}

/** What happened before the first step is shown at it. */
function place(run: RunData, step: number, axis: XAxis): number {
  const x = run.x(axis);
  const at = run.xOfStep(step, axis);
  return x.length > 0 && !(at > x[0]) ? x[0] : at;
}
