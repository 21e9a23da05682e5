import { AuroraError } from '../base/errors';
import { t } from '../base/l10n';
import { isActive } from '../runs/outcome';
import { findRun } from './find-runs';
import { optionalText, text } from './input';
import { findSweep, readFound, sweepFacts } from './sweeps';
import type { PreparedTool, Tool, ToolHost } from './tool';
import { briefly } from './tool-facts';
import { stopConfirmation } from './tool-words';
import { experimentIn } from './workspace';

export const stopTool: Tool = {
  async prepare(host, input) {
    const sweep = optionalText(input, 'sweep');
    if (sweep !== undefined) return stopSweep(host, await experimentIn(host, sweep));
    const { folder, label, state, isOnCluster } = findRun(
      await host.runs(),
      host.folders,
      text(input, 'run'),
    );
    if (isOnCluster)
      throw new AuroraError(
        'usage',
        `${label} is trained on a cluster.`,
        'Let the user cancel it: in the editor, or with `aurora sweep FILE --cancel`.',
      );
    if (!isActive(state))
      throw new AuroraError('run', `${label} is not training: it is ${state}.`, 'There is nothing to stop.');
    return {
      doing: t('Stopping {0}', label),
      question: () => Promise.resolve(stopConfirmation(label, false, host.markup)),
      async answer() {
        const { message } = await host.stop(folder);
        return { ...briefly(await host.refresh(folder)), outcome: message };
      },
    };
  },
};

function stopSweep(host: ToolHost, experiment: string): PreparedTool {
  const { folder, isRunning, record } = findSweep(experiment);
  const name = host.shown(experiment);
  if (record?.on !== undefined)
    throw new AuroraError(
      'usage',
      `The sweep of ${name} runs on a cluster.`,
      'Let the user cancel it: in the editor, or with `aurora sweep FILE --cancel all`.',
    );
  if (!isRunning)
    throw new AuroraError('run', `The sweep of ${name} is not running.`, 'There is nothing to stop.');
  return {
    doing: t('Stopping the sweep of {0}', name),
    question: () => Promise.resolve(stopConfirmation(name, true, host.markup)),
    async answer() {
      await host.stop(folder);
      return sweepFacts(readFound(folder), await host.runs());
    },
  };
}
