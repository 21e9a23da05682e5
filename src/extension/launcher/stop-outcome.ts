import type { RunStatus } from '../../protocol/events';
import type { StopOutcome } from './client';
import { checkpointSteps } from './run-status';

/**
 * The outcome of a stop request, read from the run folder: the sentence states only what is there.
 * @param forced true if the process had to be killed, or was already gone
 */
export async function stopOutcome(run: string, status: RunStatus, forced: boolean): Promise<StopOutcome> {
  const savedStep = (await checkpointSteps(run)).at(-1);
  const state = forced ? 'killed' : status.state === 'running' ? 'killed' : status.state;
  return { state, savedStep, message: sentence(state, status.step, savedStep) };
}

function sentence(state: StopOutcome['state'], step: number, saved: number | undefined): string {
  const resume =
    saved === undefined
      ? 'Nothing was saved yet; Resume starts over.'
      : `Resume continues from step ${saved}, the last one saved.`;
  switch (state) {
    case 'finished':
      return `The run had finished at step ${step} before it could be stopped; its adapter is saved.`;
    case 'failed':
      return `The run had failed at step ${step} before it could be stopped. ${resume}`;
    case 'stopped':
      return saved === undefined
        ? 'Stopped before the first step was saved; Resume starts over.'
        : `Stopped; the adapter is saved at step ${saved}.`;
    case 'killed':
      return `The trainer did not respond and was terminated at step ${step}. ${resume}`;
  }
}
