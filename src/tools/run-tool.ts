import { t } from '../base/l10n';
import { parseExperiment } from '../runs/experiment/load';
import { NamedExperiment, questionOf } from './experiment-question';
import { changedSettings, text } from './input';
import { planOf, planText } from './plan';
import { requireWanted, type Tool, type ToolHost } from './tool';
import { briefly } from './tool-facts';
import { runConfirmation } from './tool-words';
import { requireOwnInputs } from './workspace';

export const runTool: Tool = {
  async prepare(host, input) {
    const changed = changedSettings(input);
    const named = await NamedExperiment.read(host, text(input, 'experiment'));
    const { file } = named;
    // All mistakes at once, before a run folder exists.
    const spec = parseExperiment(file, named.text, changed);
    await requireOwnInputs(host, spec);
    return {
      doing: t('Starting {0}', host.shown(file)),
      subject: named.text,
      async question() {
        const runs = await host.runs();
        const plan = planText(await planOf(host, spec, runs));
        return runConfirmation({ ...questionOf(host, { file, spec, runs }), changed, plan });
      },
      async answer() {
        await named.requireUnchanged([spec]);
        requireWanted(host);
        return started(host, await host.start(file, changed, named.text));
      },
    };
  },
};

/** The answer of a tool that has started a run. It is stopped if nobody waits for it any more. */
export async function started(host: ToolHost, run: string): Promise<object> {
  if (host.signal.aborted) {
    await host.stop(run);
    requireWanted(host);
  }
  return {
    ...briefly(await host.refresh(run)),
    folder: host.shown(run),
    next: 'The run has started. Call aurora_follow_run with this id until its state is no longer starting or running.',
  };
}
