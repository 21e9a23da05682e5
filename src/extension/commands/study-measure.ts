import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { StudyLine } from '../../study/page-study';
import { programError } from '../launcher/program-error';
import { trustedFor } from '../notices/open-report';
import type { Services } from '../services';
import { programLine } from '../launcher/program-line';
import { notify } from '../messages/notify';
import { withProgress } from '../messages/progress';

/** Only one at a time: a second would measure the same. */
let going = false;

/** Measures the data that a study needs from runs, with a notification that can be canceled. */
export async function measureStudy({ trainer, log }: Services, runs: readonly string[]): Promise<void> {
  const message = t('Measuring runs the models, which requires a trusted workspace.');
  if (runs.length === 0 || going || !(await trustedFor(message))) return;
  going = true;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Measuring'),
    cancellable: true,
  };
  try {
    await withProgress(options, async (progress, token) => {
      const problems: string[] = [];
      let ended = false;
      const onLine = (text: string) => {
        const line = programLine<StudyLine>(text, ['measuring', 'result', 'problem']);
        if (line?.kind === 'measuring')
          progress.report({ message: t('{0}, run {1} of {2}…', line.name, line.run, line.runs) });
        if (line?.kind === 'result') ended = true;
        if (line?.kind === 'problem') problems.push([line.message, line.hint].filter(Boolean).join(' '));
      };
      const result = await trainer.program(['study', ...runs, '--measure', '--json'], {
        token,
        onLine,
        timeout: Infinity,
      });
      if (token.isCancellationRequested) return;
      if (!ended) throw programError(result, 'study');
      for (const problem of problems) log.warn(problem);
      if (problems.length > 0)
        void notify.warning(
          problems.length === 1
            ? problems[0]
            : t(
                '{0} runs could not be measured; see the log. The first error: {1}',
                problems.length,
                problems[0],
              ),
        );
    });
  } finally {
    going = false;
  }
}
