import { AuroraError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import { isActive } from '../runs/outcome';
import type { ToolHost, ToolRun } from './tool';
import { experimentIn, requireOwnInputs } from './workspace';

/** An experiment that a language model named, as it was when the tool was called. */
export class NamedExperiment {
  private constructor(
    private readonly host: ToolHost,
    readonly file: string,
    readonly text: string,
  ) {}

  static async read(host: ToolHost, given: string): Promise<NamedExperiment> {
    const file = await experimentIn(host, given);
    return new NamedExperiment(host, file, await host.text(file));
  }

  /**
   * Makes sure that the person agreed to the experiment that is used: the language model may have changed its file while
   * the question was open, or replaced a file that it names by a link. Saves it if it is open with changes.
   *
   * @param specs the experiments in it
   */
  async requireUnchanged(specs: Iterable<Experiment>): Promise<void> {
    const { host, file, text } = this;
    await experimentIn(host, file);
    for (const spec of specs) await requireOwnInputs(host, spec);
    if ((await host.text(file)) !== text)
      throw new AuroraError(
        'usage',
        `${host.shown(file)} was changed while the question about it was open, so nothing was started.`,
        'Call the tool again: the user is asked about the experiment as it is now.',
      );
    await host.save(file);
  }
}

/** Display names of the runs in progress on this machine. */
const activeLabels = (runs: readonly ToolRun[]): string[] =>
  runs.filter((run) => isActive(run.state) && !run.isOnCluster).map((run) => run.label);

/** The parts of a question that depend on the front end and on the experiment. */
export const questionOf = (
  host: ToolHost,
  { file, spec, runs }: { file: string; spec: Experiment; runs: readonly ToolRun[] },
) => ({
  file: host.shown(file),
  spec,
  active: activeLabels(runs),
  markup: host.markup,
  shown: (path: string) => host.shown(path),
});

/** The parts of a question about the model of a run. */
export const modelQuestion = (host: ToolHost, run: string, spec: Experiment) => ({
  run,
  spec,
  markup: host.markup,
  shown: (path: string) => host.shown(path),
});
