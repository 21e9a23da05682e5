import { AuroraError } from '../../base/errors';
import { FilesNow } from '../../runs/inputs';
import { nonlinearityFile } from '../../runs/nonlinearity';
import { predictionsFile } from '../../runs/predictions';
import type { RunSummary } from '../../runs/run-summary';
import { PATIENT, QUICK, versionOf, type RunFiles } from '../../runs/run-files';
import { geometryFile, mergedFile, studyRun } from '../../runs/run-in-study';
import { SummaryReader } from '../../runs/summary-reader';
import type { StudyRun, UnfitRun } from '../../study/study-run';
import { eachLimited, readQuickly } from '../runs/read-quickly';
import type { AskedRun } from './study-questions';

/** Maximum bytes of a file that is read to check whether it changed: nobody waits for more before a page opens. */
const LARGEST_HASHED = 64 * 2 ** 20;
/** Run folders read in parallel from a slow disk. */
const AT_ONCE = 8;

interface Known {
  version: number;
  /** Files with measurements, which the run's version does not include, and their versions. */
  measured: string[];
  versions: string[];
  run: StudyRun | UnfitRun;
}

/** Runs as a study needs them. They are read again only if they or their measurements have changed. */
export class KnownRuns {
  private known = new Map<string, Known>();

  async read(asked: readonly AskedRun[]): Promise<(StudyRun | UnfitRun)[]> {
    const fresh = new Map<string, Known>();
    const now = new FilesNow();
    const look = async (run: AskedRun, files: RunFiles) => {
      const found = await this.look(run, files, now);
      if (found) fresh.set(run.folder, found);
    };
    const left = await readQuickly(asked, (run) => look(run, QUICK));
    await eachLimited(left, AT_ONCE, (run) => look(run, PATIENT));
    this.known = fresh;
    return asked.map(({ folder, name }) => {
      const run = fresh.get(folder)?.run ?? { folder, unfit: 'damaged' };
      return { ...run, name };
    });
  }

  /** Undefined for a damaged run. */
  private async look(
    { folder, name, version }: AskedRun,
    files: RunFiles,
    now: FilesNow,
  ): Promise<Known | undefined> {
    if (version === undefined) return undefined;
    const versions = (paths: readonly string[]) =>
      Promise.all(paths.map(async (path) => versionOf(await files.stat(path))));
    try {
      const before = this.known.get(folder);
      if (before?.version === version) {
        const current = await versions(before.measured);
        if (current.every((v, i) => v === before.versions[i])) return before;
      }
      const summary = await new SummaryReader(folder).read(files);
      const measured = measuredFiles(summary);
      return {
        ...{ version, measured, versions: await versions(measured) },
        run: await studyRun(summary, name, { files, largest: LARGEST_HASHED, now }),
      };
    } catch (e) {
      if (e instanceof AuroraError) return undefined;
      throw e;
    }
  }
}

function measuredFiles({ folder, events }: RunSummary): string[] {
  const step = events.findLast((e) => e.kind === 'evaluation')?.step ?? 0;
  const scored = events.findLast((e) => e.kind === 'test-evaluation');
  return [
    geometryFile(folder),
    mergedFile(folder, step),
    nonlinearityFile(folder, step),
    predictionsFile(folder, step),
    ...(scored ? [predictionsFile(folder, scored.step, 'test')] : []),
  ];
}
