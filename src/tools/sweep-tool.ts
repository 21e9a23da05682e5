import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { t } from '../base/l10n';
import { readExperiment, sweepOf } from '../runs/experiment/load';
import { experimentSweeps } from '../runs/layout';
import { readSweep } from '../runs/sweep/record';
import { NamedExperiment, questionOf } from './experiment-question';
import { text } from './input';
import { planOf, planText } from './plan';
import { readFound, sweepFacts } from './sweeps';
import { requireWanted, type Tool } from './tool';
import { sweepConfirmation } from './tool-words';
import { requireOwnInputs } from './workspace';

export const sweepTool: Tool = {
  async prepare(host, input) {
    const named = await NamedExperiment.read(host, text(input, 'experiment'));
    const { file } = named;
    const sweep = sweepOf(readExperiment(file, [], named.text));
    const specs = new Map([sweep.base, ...sweep.trials.map((trial) => trial.spec)].map(pathsKey));
    for (const spec of specs.values()) await requireOwnInputs(host, spec);
    const folder = join(experimentSweeps(file), sweep.baseHash);
    const begun = readSweep(folder);
    if (begun?.on !== undefined)
      throw new AuroraError(
        'usage',
        `The sweep of ${host.shown(file)} began on a cluster, and this tool trains on this machine.`,
        'Let the user continue it: *Run Sweep* in the editor, or `aurora sweep` in a terminal.',
      );
    return {
      doing: t('Starting the sweep of {0}', host.shown(file)),
      subject: named.text,
      async question() {
        const runs = await host.runs();
        const finished = new Set(runs.filter((run) => run.state === 'finished').map((run) => run.id));
        const done = begun?.trials.filter(({ run }) => run !== undefined && finished.has(run)).length ?? 0;
        const varied = [...new Set(sweep.trials.flatMap((trial) => Object.keys(trial.settings)))];
        const plan = planText(await planOf(host, sweep.base, runs));
        return sweepConfirmation({
          ...questionOf(host, { file, spec: sweep.base, runs }),
          ...{ trials: sweep.trials.length, done, varied, plan, changed: [] },
        });
      },
      async answer() {
        await named.requireUnchanged(specs.values());
        requireWanted(host);
        host.progress(t('Checking the trials…'));
        await host.startSweep(file, folder, named.text);
        // Nobody waits for it any more.
        if (host.signal.aborted) await host.stop(folder);
        requireWanted(host);
        return {
          ...sweepFacts(readFound(folder), await host.runs()),
          next: 'The sweep has started. Call aurora_follow_run with this experiment as its sweep until its state is no longer running.',
        };
      },
    };
  },
};

/** Thousands of trials name the same few files. */
const pathsKey = <T extends { model: object; data: object }>(spec: T): [string, T] => [
  JSON.stringify([spec.model, spec.data]),
  spec,
];
