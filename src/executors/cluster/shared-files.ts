import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import { matchedBy } from '../../files/pattern';
import { installPackage, noteSubmitted, removeUnused } from '../package/installed-package';
import { THIS_PLATFORM, type Platform } from '../package/package-files';
import { nodeIn, packageFor } from '../package/package';
import type { ClusterFiles, TrainerThere } from './cluster';
import { requestIn } from './request';

export interface SharedFilesOptions {
  /** The folder of cli.cjs. */
  dist: string;
  /** The `.aurora` folder beside the experiment, which the cluster sees, too. */
  home: string;
  /** The cluster's system; omitted: as here. */
  platform?: () => Promise<Platform>;
  /**
   * A check that lists those of these files that the cluster does not see, to report them before trials fail; omitted:
   * none.
   */
  unseen?: (paths: readonly string[]) => Promise<string[]>;
  /** The name in errors: that of the login node. */
  place?: string;
  /** The path on the cluster of a path here, and back; omitted: the same. */
  there?: (path: string) => string;
  here?: (path: string) => string | undefined;
}

/** The files of a sweep in a folder that the cluster shares: run folders appear here as trainers write them. */
export class SharedFiles implements ClusterFiles {
  private sent: Promise<TrainerThere> | undefined;
  private package: string | undefined;
  /** Files that the cluster has been asked for. */
  private readonly seen = new Set<string>();

  constructor(private readonly options: SharedFilesOptions) {}

  there(path: string): string {
    return this.options.there?.(path) ?? path;
  }

  here(path: string): string | undefined {
    return this.options.here ? this.options.here(path) : path;
  }

  sendTrainer(): Promise<TrainerThere> {
    return (this.sent ??= this.install().catch((e) => {
      this.sent = undefined;
      throw e;
    }));
  }

  async sendSubmission(_folder: string, specs: readonly Experiment[]): Promise<void> {
    if (this.package !== undefined) noteSubmitted(this.package);
    const { unseen, place = 'the cluster' } = this.options;
    if (!unseen) return;
    const paths = new Set<string>();
    for (const spec of specs)
      withPaths(spec, (path) => {
        // Some are optional, and not there at all.
        for (const file of matchedBy(path)) if (!this.seen.has(file) && existsSync(file)) paths.add(file);
        return path;
      });
    if (paths.size === 0) return;
    const [first] = await unseen([...paths]);
    if (first !== undefined)
      throw new AuroraError(
        'experiment',
        `${first} is not visible on ${place}.`,
        'Put the models and data of the sweep into the folder that both share. If they share none, name a folder on the cluster in cluster.slurm.folder: files are then copied there.',
      );
    for (const path of paths) this.seen.add(path);
  }

  async follow(): Promise<void> {}

  async collect(): Promise<void> {}

  async request(runs: readonly string[], what: 'stop' | 'checkpoint'): Promise<void> {
    for (const run of runs) requestIn(run, what);
  }

  async removeThere(): Promise<void> {}

  private async install(): Promise<TrainerThere> {
    const { dist, home, platform, place = 'the cluster' } = this.options;
    const pkg = await packageFor(dist, platform ? await platform() : THIS_PLATFORM, place);
    const trainers = join(home, 'trainers');
    const folder = (this.package = await installPackage(pkg, trainers));
    removeUnused(trainers, pkg.hash);
    const node = nodeIn(pkg);
    return {
      program: this.there(join(folder, 'cli.cjs')),
      hash: pkg.hash,
      node: node && this.there(join(folder, node)),
    };
  }
}
