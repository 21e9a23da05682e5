import { appendFileSync, readFileSync, utimesSync } from 'node:fs';
import { Catalog } from '../../src/extension/runs/catalog';
import { runPaths } from '../../src/runs/layout';
import { timed } from './timed';

/** What the editor reads: all runs, nothing new, one run that changed. */
export async function catalogCase({
  folder,
  file,
}: {
  folder: string;
  file: string;
}): Promise<Record<string, number>> {
  const catalog = new Catalog();
  catalog.setPlaces([file], [folder]);
  const first = await timed(() => catalog.look());
  const again = await timed(() => catalog.look());
  const [run] = catalog.experiments()[0].runs;
  const { events } = runPaths(run.folder);
  const lines = readFileSync(events, 'utf8').trimEnd().split('\n').length;
  appendFileSync(
    events,
    `${JSON.stringify({ v: 1, seq: lines, t: Date.now(), w: 'x', kind: 'warning', message: '' })}\n`,
  );
  utimesSync(run.folder, new Date(), new Date());
  const change = await timed(() => catalog.look());
  const active = await timed(() => catalog.lookAtActive());
  return {
    ...{ first: first.ms, again: again.ms, change: change.ms, active: active.ms },
    ...{ firstBlocked: first.blocked, againBlocked: again.blocked },
  };
}
