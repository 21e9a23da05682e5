import type { ClusterTrial } from '../../protocol/run-files/cluster';
import type { ShownState } from '../shown-state';

/**
 * States that are final in a trial's journal; otherwise the scheduler knows better than a late heartbeat whether it
 * lives.
 */
const FINAL: readonly ShownState[] = ['finished', 'damaged'];

/**
 * The displayed state of a run that a cluster trains.
 *
 * @param own according to the run's folder, which may come from another machine with a delay
 * @param reason why it was stopped, according to its journal
 * @param trial the scheduler's last state of it
 */
export function shownOnCluster(own: ShownState, reason: string | undefined, trial: ClusterTrial): ShownState {
  if (FINAL.includes(own)) return own;
  switch (trial.state) {
    case 'queued':
    case 'preempted':
      // It may have been started since the scheduler was asked.
      return own === 'running' ? own : 'queued';
    case 'running':
      if (own === 'lost') return 'running';
      return own === 'stopped' && reason === 'preempted' ? 'queued' : own;
    case 'lost':
      return own === 'stopped' || own === 'failed' ? own : 'lost';
    case 'failed':
      return own === 'stopped' ? own : 'failed';
    case 'cancelled':
      return own === 'failed' ? own : 'stopped';
    case 'finished':
      return own;
  }
}
