import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { isEntryName } from '../../files/contained';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import { runPaths } from '../../runs/layout';
import { readStatus } from '../../runs/status';
import { clusterQuote } from '../cluster/plain-name';
import { RECORDS, writeRecordsHere } from '../cluster/records-here';
import { isRealFolder, receive, removeGone } from './receive';
import { TooMuchOutput } from './child';
import { bringNewRuns, bringRest } from './new-runs';
import { lines } from './platform';
import type { Rsync } from './rsync';
import type { ClusterShell } from './shell';
import type { Wanted } from './wanted';

/** The pages that show the curves wait for it. */
const FOLLOW_MS = 60_000;
/** Large files of many trials over a slow line; the next look continues. */
const COLLECT_MS = 2 * 3_600_000;
/** Run folders at a time: the first ones are complete early, and rsync's time grows with the square of their number. */
const BATCH = 1000;
/** The number of checkpoints that are copied at once, so that an interruption loses little. */
const FEW = 50;

const LOGS_MS = 30_000;

/** The files that belong to one machine. */
const THERE = ['owner.json', '.owner-*', 'control'];
/** The files that only forks, resumes and looks at earlier steps need. */
const CHECKPOINTS = 'checkpoints';
/** The files that no curve needs. */
const LARGE = ['adapter', 'encoded', 'activations'];
const MOST_BYTES = 64 * 2 ** 20;
/** Fewer come as fast by rsync, which keeps the files that have come. */
const MANY = 20;
/** The files that show the progress of a run: they come after the files that they describe. */
const LAST = ['status.json', 'result.json'];

export interface BringOptions {
  shell: ClusterShell;
  rsync: Rsync;
  /** The `.aurora` folder beside the experiment, for files that are on their way. */
  home: string;
  there: (path: string) => string;
  here: (path: string) => string | undefined;
}

/** Copies run folders here from a login node, on which they may not exist yet. */
export class RunBringer {
  private cleaned = false;
  /** Runs that had ended before their small files came: those are complete. */
  private readonly ended = new Set<string>();

  constructor(private readonly options: BringOptions) {}

  /**
   * The small files of runs, as far as they have changed. Files that do not arrive in a minute are left for the next
   * time.
   *
   * @param runs folders here
   * @throws AuroraError as `receive`
   */
  async follow(runs: readonly string[]): Promise<void> {
    const until = performance.now() + FOLLOW_MS;
    const small = {
      without: [...THERE, ...RECORDS, CHECKPOINTS, ...LARGE],
      options: [`--max-size=${MOST_BYTES}`],
    };
    for (const [folder, names] of batches(runs))
      if (!(await this.bring(folder, names, small, until - performance.now(), false))) return;
  }

  /**
   * The folders of runs that have ended, without their checkpoints. Files that the trainer has removed since an earlier
   * time are removed here, too; files that were added here stay.
   *
   * @throws AuroraError as `receive`, 'network' if it takes too long
   */
  async collect(runs: readonly string[]): Promise<void> {
    const without = [...THERE, ...RECORDS, CHECKPOINTS];
    for (const [folder, names] of batches(runs)) {
      const came = await this.collectNew(folder, names);
      const others = names.filter((name) => !came.has(name));
      if (others.length === 0) continue;
      if (!(await this.bring(folder, others, { without }, COLLECT_MS, true))) throw late();
      await removeGone(this.options.shell, { ...this.between(folder), entries: others, without });
    }
  }

  /**
   * The checkpoints of runs that have ended, and whose folders are here. A run gets all of them at once, or keeps those that
   * it has, until they are as on the cluster.
   *
   * @throws AuroraError as `collect`
   */
  async collectCheckpoints(runs: readonly string[]): Promise<void> {
    const at = (folder: string, name: string) => join(folder, name, CHECKPOINTS);
    const asked = (some: readonly string[]) => ({
      entries: some.map((name) => `${name}/${CHECKPOINTS}`),
      without: [],
    });
    for (const [folder, names] of batches(runs, FEW))
      await this.arriving(async (temporary) => {
        const known = names.filter((name) => existsSync(at(folder, name)));
        const fresh = names.filter((name) => !known.includes(name));
        const copy = (some: readonly string[], to: string) =>
          this.receive(folder, asked(some), temporary, COLLECT_MS, to);
        const arrived = join(temporary, 'new');
        mkdirSync(arrived);
        if (!(await copy(known, folder)) || !(await copy(fresh, arrived))) throw late();
        for (const name of fresh)
          if (isRealFolder(at(arrived, name)) && isRealFolder(join(folder, name)))
            renameSync(at(arrived, name), at(folder, name));
        if (known.length > 0)
          await removeGone(this.options.shell, { ...this.between(folder), ...asked(known) });
      });
  }

  /** The logs of submissions, whose folders are here. */
  async logs(submissions: string): Promise<void> {
    const entries = readdirSync(submissions).map((name) => `${name}/logs`);
    const asked = { entries, without: [], options: ['--max-size=16m'] };
    await this.arriving((temporary) => this.receive(submissions, asked, temporary, LOGS_MS));
  }

  /** The large files of runs whose small ones are complete: by tar, if they are many. */
  private async collectNew(folder: string, names: readonly string[]): Promise<Set<string>> {
    const { rsync, there } = this.options;
    const some = names.filter((name) => this.ended.has(join(folder, name)));
    if (some.length < MANY) return new Set();
    return this.arriving((temporary) =>
      bringRest({
        ...{ remote: rsync.remote, from: there(folder), to: folder, temporary, names: some },
        ...{
          folders: LARGE,
          leastBytes: MOST_BYTES,
          timeoutMs: COLLECT_MS,
          without: [...THERE, CHECKPOINTS],
        },
      }),
    );
  }

  /** @returns false if the time was not enough */
  private async bring(
    folder: string,
    names: readonly string[],
    what: Asked,
    timeoutMs: number,
    again: boolean,
  ): Promise<boolean> {
    const { rsync, there, here } = this.options;
    const until = performance.now() + timeoutMs;
    const left = () => Math.max(1, until - performance.now());
    return this.arriving(async (temporary) => {
      mkdirSync(folder, { recursive: true });
      const arrived = await bringNewRuns({
        ...{ remote: rsync.remote, from: there(folder), to: folder, temporary, here },
        names: names.filter((name) => !existsSync(join(folder, name))),
        ...{ without: [...THERE, CHECKPOINTS, ...LARGE], first: LAST },
        ...{ mostBytes: MOST_BYTES, timeoutMs: left() },
      });
      for (const name of arrived) if (hasFinished(join(folder, name))) this.ended.add(join(folder, name));
      // A run that has ended has large files, too.
      const others = again ? names : names.filter((name) => !arrived.has(name));
      const unknown = others.filter((name) => again || !existsSync(runPaths(join(folder, name)).spec));
      const most = { ...what, entries: others, without: [...LAST, ...what.without] };
      if (!(await this.receive(folder, most, temporary, left()))) return false;
      for (const [name, texts] of await this.records(folder, unknown))
        if (isRealFolder(join(folder, name))) writeRecordsHere(join(folder, name), texts, here);
      // Only runs that are here: one that began in between has no record yet.
      const begun = others.filter((name) => existsSync(runPaths(join(folder, name)).spec));
      const last = begun.flatMap((name) => LAST.map((last) => `${name}/${last}`));
      return this.receive(folder, { entries: last, without: [] }, temporary, left());
    });
  }

  private receive(
    folder: string,
    asked: Asked & Wanted,
    temporary: string,
    timeoutMs: number,
    to = folder,
  ): Promise<boolean> {
    return receive(this.options.rsync, { ...this.between(folder), ...asked, to, temporary, timeoutMs });
  }

  private readonly between = (folder: string) => ({ from: this.options.there(folder), to: folder });

  /** With a folder on the same disk, so that a file is replaced at once and never half there. */
  private async arriving<T>(action: (temporary: string) => Promise<T>): Promise<T> {
    const { home } = this.options;
    mkdirSync(home, { recursive: true });
    if (!this.cleaned) removeAbandoned(home);
    this.cleaned = true;
    const temporary = temporaryBeside(join(home, 'arriving'));
    // No other user may add anything to the arriving files.
    mkdirSync(temporary, { mode: 0o700 });
    try {
      return await action(temporary);
    } finally {
      rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /**
   * The records of runs as they are on the cluster, by the run's name and their own. As text in one answer: thousands of
   * files that are read here and removed again would take longer than everything else. An image table's has a line for each
   * image, so that some runs are asked about at a time, and fewer if that
   * is too much.
   */
  private async records(folder: string, names: readonly string[]): Promise<Map<string, Map<string, string>>> {
    const found = new Map<string, Map<string, string>>();
    let most = RECORDS_OF;
    for (let i = 0; i < names.length;) {
      const some = names.slice(i, i + most);
      try {
        for (const [name, texts] of await this.recordsOf(folder, some)) found.set(name, texts);
        i += some.length;
      } catch (e) {
        if (!(e instanceof TooMuchOutput) || some.length === 1) throw e;
        most = Math.ceil(some.length / 2);
      }
    }
    return found;
  }

  private async recordsOf(
    folder: string,
    names: readonly string[],
  ): Promise<Map<string, Map<string, string>>> {
    const found = new Map(names.map((name) => [name, new Map<string, string>()]));
    const paths = names.flatMap((name) => RECORDS.map((record) => `${name}/${record}`));
    const { stdout } = await this.options.shell.run(
      `cd ${clusterQuote(this.options.there(folder))} 2>/dev/null && tr '\\n' '\\0' | LC_ALL=C xargs -0 grep -asH ''`,
      { input: lines(paths), timeoutMs: RECORDS_MS, mostBytes: MOST_RECORDS },
    );
    const asked = new Set(paths);
    for (const line of stdout.split('\n')) {
      const [, path = '', text = ''] = LINE.exec(line) ?? [];
      // Only requested files are written.
      if (!asked.has(path)) continue;
      const [name, record] = path.split('/') as [string, string];
      const texts = found.get(name)!;
      texts.set(record, `${texts.get(record) ?? ''}${text}\n`);
    }
    return found;
  }
}

const late = () =>
  new AuroraError(
    'network',
    `Run folders could not be copied from the cluster within ${COLLECT_MS / 3_600_000} hours.`,
    'Run the command again: files that have arrived are not copied again.',
  );

/** Nothing more happens to a run then, and no restart of its job begins it again. */
function hasFinished(run: string): boolean {
  try {
    return readStatus(run)?.state === 'finished' && existsSync(runPaths(run).result);
  } catch {
    return false;
  }
}

/** The beginning of each line in grep's output. */
const LINE = /^([^/]+\/[a-z]+\.json):(.*)$/;
const RECORDS_MS = 10 * 60_000;
const RECORDS_OF = 100;
const MOST_RECORDS = 256_000_000;

/** The request for files of run folders. */
interface Asked extends Pick<Wanted, 'without'> {
  options?: readonly string[];
}

/** The names of runs with the folder that they are in. */
function batches(runs: readonly string[], size = BATCH): [folder: string, names: string[]][] {
  const folders = new Map<string, string[]>();
  for (const run of runs) {
    const name = basename(run);
    if (!isEntryName(name)) throw new AuroraError('run', `${run} is not a run's folder.`, 'Check its name.');
    const folder = dirname(run);
    if (!folders.has(folder)) folders.set(folder, []);
    folders.get(folder)!.push(name);
  }
  return [...folders].flatMap(([folder, names]) =>
    Array.from({ length: Math.ceil(names.length / size) }, (_, i): [string, string[]] => [
      folder,
      names.slice(i * size, (i + 1) * size),
    ]),
  );
}
