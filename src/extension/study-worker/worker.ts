import { parentPort, workerData } from 'node:worker_threads';
import { setTranslations } from '../../base/l10n';
import { pageStudy } from '../../study/page-study';
import { reportFiles } from '../../study/study-report';
import { studyOf } from '../../study/study';
import type { AskedStudy, StudyWorkerData } from './study-questions';
import { KnownRuns } from './known-runs';

/**
 * Reads runs and compares them outside the thread that VS Code's extensions share: thousands take seconds. Answers in the
 * order of the questions. An error ends the thread, and its parent gets it.
 */
setTranslations((workerData as StudyWorkerData).l10n);
const known = new KnownRuns();
let before: Promise<void> = Promise.resolve();

async function answer({ runs, settings, title }: AskedStudy): Promise<void> {
  const study = studyOf(await known.read(runs), settings);
  parentPort!.postMessage(title === undefined ? pageStudy(study) : reportFiles(study, title));
}

parentPort!.on('message', (asked: AskedStudy) => (before = before.then(() => answer(asked))));
