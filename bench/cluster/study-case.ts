import { Catalog } from '../../src/extension/runs/catalog';
import { runLabel } from '../../src/extension/runs/label';
import { StudySession } from '../../src/extension/panels/study/study-session';
import { StudyWorker } from '../../src/extension/study-worker/ask-study-worker';
import type { StudyFromHost } from '../../src/study/study-messages';
import { timed } from './timed';

/** The Study panel of all trials: opened, refreshed when nothing has changed, and exported. */
export async function studyCase({
  folder,
  file,
}: {
  folder: string;
  file: string;
}): Promise<Record<string, number>> {
  const catalog = new Catalog();
  catalog.setPlaces([file], [folder]);
  await catalog.look();
  const known = () =>
    catalog
      .experiments()[0]
      .runs.map((entry) => ({ folder: entry.folder, name: runLabel(entry), run: entry.run }))
      .reverse();
  let shown: (message: StudyFromHost) => void = () => undefined;
  let exported: (files: ReadonlyMap<string, string>) => void = () => undefined;
  const failed = (e: unknown) => {
    throw e as Error;
  };
  const session = new StudySession(
    {
      post: (message) => shown(message),
      runs: () => Promise.resolve({ title: 'Study', runs: known() }),
      measure: () => Promise.resolve(),
      export: (_, files) => Promise.resolve(exported(files)),
      copy: () => undefined,
      failed,
    },
    new StudyWorker({}),
  );
  const refresh = () =>
    timed(
      () =>
        new Promise<number>((resolve) => {
          shown = (message) => resolve(JSON.stringify(message).length);
          session.refresh();
        }),
    );
  const first = await refresh();
  const again = await refresh();
  const report = await timed(
    () =>
      new Promise((resolve) => {
        exported = resolve;
        session.receive({ type: 'export' });
      }),
  );
  session.dispose();
  return {
    ...{ first: first.ms, firstBlocked: first.blocked, again: again.ms, againBlocked: again.blocked },
    ...{ report: report.ms, reportBlocked: report.blocked },
    messageKB: first.value / 1000,
  };
}
