import type { DeviceRequest } from '../../engine/devices';
import type { RunEvent } from '../../protocol/events';
import { readRunSummary } from '../../runs/read';
import { restore, type Restored } from '../checkpoint/resume';
import { requestedEvent, resumedRequest } from '../device/recorded';
import { removeLeftovers } from '../process/leftovers';
import type { OpenRun } from './open-run';

/** The point where this process starts a run. */
export interface Start {
  /** The step at which it starts. */
  from: number;
  request: DeviceRequest;
  /** The journal of a resumed run before the resume. */
  before: readonly RunEvent[] | undefined;
  /** Undefined for a new run. */
  restored: Restored | undefined;
}

export function restoreStart(open: OpenRun): Start {
  const { run, spec, journal, options, warn } = open;
  const before = options.resume ? readRunSummary(run).events : undefined;
  const { given, fallBack } = options.device;
  const request = before ? resumedRequest(before, options.device) : options.device;
  if (!before || given.engine || given.device || fallBack) journal.append(requestedEvent(request));
  const restored = options.resume ? restore(run, spec, warn) : undefined;
  const from = restored?.checkpoint?.state.step ?? 0;
  open.step = from;
  open.held.require();
  removeLeftovers(run);
  return { from, request, before, restored };
}
