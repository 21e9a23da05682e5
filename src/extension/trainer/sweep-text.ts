import { experimentName } from '../../runs/layout';
import type { RunEntry, SweepEntry } from '../runs/store';
import type { Translate } from '../translate';
import { bestText, doneTrials, plannedTrials } from '../tree/sweep-row';
import type { EndNotice } from './end-text';

/** What is said of a sweep whose queue has ended. */
export function sweepEndText(sweep: SweepEntry, runs: readonly RunEntry[], t: Translate): EndNotice {
  const name = experimentName(sweep.experiment);
  const planned = plannedTrials(sweep.record);
  const best = bestText(runs, sweep.record.metric);
  const failed = runs.filter((r) => r.state === 'failed').length;
  const tail = [
    best === undefined ? '' : t('Best so far: {0}.', best),
    failed > 0 ? t('Failed: {0}.', failed) : '',
  ].filter((part) => part !== '');
  const say = (kind: EndNotice['kind'], sentence: string) => ({
    kind,
    message: [sentence, ...tail].join(' '),
  });
  switch (sweep.state) {
    case 'finished':
      return say(failed > 0 ? 'warning' : 'information', t('The sweep of {0} has come to its end.', name));
    case 'failed':
    case 'lost':
      return say('error', t('The queue of the sweep of {0} ended without a word. Run Sweep goes on.', name));
    default:
      return say(
        'information',
        t(
          'The sweep of {0} is stopped; {1} of {2} trials are done, all is saved.',
          name,
          doneTrials(runs),
          planned,
        ),
      );
  }
}
