import type { RunStatus } from '../../protocol/events';
import { claimPaths } from '../../runs/claim-folder';
import { experimentOf } from '../../runs/layout';
import { isAlive } from '../../runs/status';
import { fileVersion } from '../../runs/summary-reader';
import { statusOf } from '../../executors/local/run-status';
import type { ClaimEntry } from './store';

/** A claim's folder that is polled. Never throws: a damaged claim is an entry that says so. */
export class TrackedClaim {
  private versions: Record<'frozen' | 'progress' | 'certificate' | 'status', string> | undefined;
  private content: Pick<ClaimEntry, 'frozen' | 'progress' | 'certificate' | 'problem'> = {};
  private status: RunStatus | undefined;
  /** Undefined until the claim is frozen. */
  entry: ClaimEntry | undefined;

  constructor(
    readonly folder: string,
    private readonly now: () => number = Date.now,
  ) {}

  get active(): boolean {
    return this.entry?.state === 'running';
  }

  /** True if the entry changed. */
  async look(): Promise<boolean> {
    const before = this.entry;
    const content = this.content;
    await this.read();
    const state = this.state();
    if (before?.state === state && content === this.content) return false;
    const { folder } = this;
    const isThere = this.content.frozen !== undefined || this.content.problem !== undefined;
    this.entry = isThere ? { folder, experiment: experimentOf(folder), state, ...this.content } : undefined;
    return before !== this.entry;
  }

  private state(): ClaimEntry['state'] {
    const { certificate, problem } = this.content;
    if (problem !== undefined) return 'damaged';
    if (certificate) return 'closed';
    if (isAlive(this.status, this.now())) return 'running';
    const { state = 'stopped' } = this.status ?? {};
    return state === 'running' ? 'lost' : state === 'finished' ? 'stopped' : state;
  }

  private async read(): Promise<void> {
    const paths = claimPaths(this.folder);
    const [frozen, progress, certificate, status] = await Promise.all(
      (['frozen', 'progress', 'certificate', 'status'] as const).map((name) => versionOf(paths[name])),
    );
    const now = { frozen, progress, certificate, status };
    const before = this.versions;
    this.versions = now;
    // Without a readable status, the other files decide.
    if (before?.status !== status) this.status = await statusOf(this.folder).catch(() => undefined);
    if (before?.frozen === frozen && before.progress === progress && before.certificate === certificate)
      return;
    const { claimContent } = await import('./claim-content');
    this.content = await claimContent(paths);
  }
}

/** A file that cannot be looked at, such as one below a name that is no folder, has no version. */
const versionOf = (path: string): Promise<string> => fileVersion(path).catch(() => '');
