import { Catalog } from '../../src/extension/runs/catalog';
import { runLabel } from '../../src/extension/runs/label';
import { StudySession } from '../../src/extension/panels/study/session';
import { english } from '../../src/study/say';
import { timed } from './timed';

/** The Study panel of all trials: opened, and refreshed when nothing has changed. */
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
  const runs = catalog
    .experiments()[0]
    .runs.map((entry) => ({ folder: entry.folder, name: runLabel(entry), run: entry.run }))
    .reverse();
  let done: (characters: number) => void = () => undefined;
  const session = new StudySession({
    post: (message) => done(JSON.stringify(message).length),
    runs: () => Promise.resolve({ title: 'Study', runs }),
    say: english,
    measure: () => Promise.resolve(),
    export: () => Promise.resolve(),
    copy: () => undefined,
    failed: (e) => {
      throw e as Error;
    },
  });
  const refresh = () =>
    timed(
      () =>
        new Promise<number>((resolve) => {
          done = resolve;
          session.refresh();
        }),
    );
  const first = await refresh();
  const again = await refresh();
  return {
    ...{ first: first.ms, firstBlocked: first.blocked, again: again.ms, againBlocked: again.blocked },
    messageKB: first.value / 1000,
  };
}
