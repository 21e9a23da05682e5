import { setTimeout as wait } from 'node:timers/promises';
import { t } from '../base/l10n';
import { readScalars } from '../runs/curve/scalars';
import { isActive } from '../runs/outcome';
import { findRun } from './find-runs';
import { optionalCount, optionalText } from './input';
import { findSweep, isOver, readFound, sweepFacts } from './sweeps';
import { requireWanted, type PreparedTool, type Tool, type ToolHost } from './tool';
import { briefly, curve } from './tool-facts';
import { experimentIn } from './workspace';

const USUAL_SECONDS = 60;
const MOST_SECONDS = 600;
const POINTS = 8;
/** Between two looks at a run's folder. A sweep may have thousands of runs. */
const LOOK_MS = 500;
const SWEEP_LOOK_MS = 2000;

export const followTool: Tool = {
  async prepare(host, input) {
    const seconds = Math.min(optionalCount(input, 'waitSeconds', 0) ?? USUAL_SECONDS, MOST_SECONDS);
    const sweep = optionalText(input, 'sweep');
    if (sweep !== undefined) return followSweep(host, await experimentIn(host, sweep), seconds);
    const given = optionalText(input, 'run');
    return {
      doing: t('Following {0}', given ?? t('the newest run')),
      async answer() {
        const { folder } = findRun(await host.runs(), host.folders, given);
        const entry = await until(host, seconds, LOOK_MS, async () => {
          const now = await host.refresh(folder);
          const { step, steps } = now.run?.status ?? {};
          if (step !== undefined && steps) host.progress(t('Step {0} of {1}', step, steps), step, steps);
          return { value: now, done: !isActive(now.state) };
        });
        return {
          ...briefly(entry),
          curve: curve(readScalars(folder), POINTS),
          next: isActive(entry.state)
            ? 'Still in progress: call aurora_follow_run again.'
            : 'It has ended: call aurora_explain_run for everything that its folder holds.',
        };
      },
    };
  },
};

function followSweep(host: ToolHost, experiment: string, seconds: number): PreparedTool {
  const { folder } = findSweep(experiment);
  return {
    doing: t('Following the sweep of {0}', host.shown(experiment)),
    async answer() {
      const { sweep, runs } = await until(host, seconds, SWEEP_LOOK_MS, async () => {
        const [sweep, runs] = [readFound(folder), await host.runs()];
        return { value: { sweep, runs }, done: isOver(sweep, runs) };
      });
      return {
        ...sweepFacts(sweep, runs),
        next: isOver(sweep, runs)
          ? 'It has ended: call aurora_compare_runs with this experiment for all results.'
          : 'Still in progress: call aurora_follow_run again.',
      };
    },
  };
}

/** Looks until something is done, for at most `seconds`, and at least once. */
async function until<T>(
  host: ToolHost,
  seconds: number,
  pause: number,
  look: () => Promise<{ value: T; done: boolean }>,
): Promise<T> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const { value, done } = await look();
    const left = end - performance.now();
    if (done || left <= 0) return value;
    await wait(Math.min(pause, left), undefined, { signal: host.signal }).catch(() => undefined);
    requireWanted(host);
  }
}
