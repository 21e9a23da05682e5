import { join } from 'node:path';
import { placeName } from '../../engine/place';
import { discard } from '../../files/atomic';
import { stillOwned } from '../../files/fence';
import { onLargeCopy } from '../../graph/file/place-weights';
import { goneBelow } from '../../runs/held';
import { resumedChoice } from '../device/recorded';
import type { OpenedOn } from '../device/open';
import { settle } from '../device/settle';
import type { StopReason } from '../../protocol/events';
import { attempt, failedEvent } from '../process/failure';
import { announce, makeContext } from './begin';
import { conclude, type TrainOutcome } from './conclude';
import { OpenRun } from './open-run';
import type { TrainOptions } from './options';
import { trainPhases } from './phases';
import { prepare, type Prepared } from './prepare';
import { measureQuantization } from './quantization-cost';
import { StoppedReading } from './reading';
import { rescue } from './rescue';
import { scoreSets } from './score';
import { restoreStart, type Start } from './start';

/** Trains an experiment to its end or to a stop request, and leaves a complete run folder either way. */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
  const { run } = options;
  const open = OpenRun.open(options);
  const { journal, pulse } = open;
  const untold = onLargeCopy(open.warn);
  try {
    const outcome = (open.outcome = await trainOpen(open));
    await pulse.end(lastState(outcome));
    return outcome;
  } catch (e) {
    const { outcome } = open;
    if (outcome) {
      // The journal has its last line: later failures do not change how the run ended.
      await attempt(() => pulse.end(lastState(outcome)));
      throw e;
    }
    const lost = open.held.lost() ?? goneBelow(run, e);
    if (lost !== undefined) throw await rescue(open, lost);
    await attempt(() => journal.append(failedEvent(open.step, e)));
    await attempt(() => pulse.end('failed'));
    throw e;
  } finally {
    // A failure before there was a stepper to dispose of left its graphs, which may be large.
    for (const folder of stillOwned(run) ? [open.graphs, join(run, 'frozen')] : []) discard(folder);
    untold();
    open.close();
  }
}

const lastState = ({ end }: TrainOutcome) => (end === 'finished' ? 'finished' : 'stopped');

async function trainOpen(open: OpenRun): Promise<TrainOutcome> {
  const start = restoreStart(open);
  const stopped = (reason: StopReason): TrainOutcome => {
    open.journal.append({ kind: 'stopped', step: start.from, reason });
    return { end: reason, step: start.from };
  };
  try {
    const prepared = await prepare(open, start);
    const opened = await openDevice(open, start, prepared);
    if (opened) return await trainOpened(open, start, prepared, opened);
  } catch (e) {
    if (e instanceof StoppedReading) return stopped(e.reason);
    throw e;
  }
  return stopped(open.stopRequested() ?? 'requested');
}

/** Undefined if the run was asked to stop. */
function openDevice(
  open: OpenRun,
  { request, before }: Start,
  { whole, task, reuse }: Prepared,
): Promise<OpenedOn | undefined> {
  const { threads, program } = open.options;
  open.pulse.preparing({ doing: 'opening' });
  return settle(whole, task, {
    request,
    before: before && resumedChoice(before, request),
    onFeatures: reuse.task !== whole && whole.adapters.length === 0,
    measuring(places) {
      open.listener.measuring(places);
      open.pulse.preparing({ doing: 'measuring', places: places.map(placeName).join(', ') });
    },
    stopped: () => open.stopRequested() !== undefined,
    warn: open.warn,
    threads,
    folder: open.graphs,
    program,
  });
}

async function trainOpened(
  open: OpenRun,
  start: Start,
  prepared: Prepared,
  opened: OpenedOn,
): Promise<TrainOutcome> {
  const { guard, whole, sets } = prepared;
  open.stepper = opened.stepper;
  try {
    const context = await makeContext(open, start, prepared, opened);
    announce(context, start, prepared);
    const trained = await trainPhases(context, start);
    const scored = await scoreSets(context, trained, whole, sets);
    open.held.require();
    await guard.ended(context.state.step, scored);
    const end = await measureQuantization(context, scored, whole);
    const outcome = (open.outcome = conclude(end, context));
    context.scalars.close();
    return outcome;
  } finally {
    // By then, its files may belong to the next owner.
    await guard.end(() => (stillOwned(open.run) ? open.stepper?.dispose() : undefined));
  }
}
