import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { claim, type Owner } from '../../../../src/files/owner';
import { Journal } from '../../../../src/runs/journal/journal';
import { runPaths } from '../../../../src/runs/layout';
import { readRunSummary } from '../../../../src/runs/run-summary';
import { writeStatus } from '../../../../src/runs/status';
import { AuroraError } from '../../../../src/base/errors';
import type { NewEvent } from '../../../../src/protocol/events';
import { failedEvent, recordFailure } from '../../../../src/training/process/run-failure';
import { newStatus } from '../../../../src/training/process/pulse';
import { temporaryFolders } from '../../runs/folder';
import { specText } from '../../specs';

const folder = temporaryFolders();
const disk = new AuroraError('disk', 'The disk is full.', 'Free some space.');

async function owned(run: string): Promise<Owner> {
  const got = await claim(run);
  if (!('owner' in got)) throw new Error('The run has an owner.');
  return got.owner;
}

/** A run with these lines from its owner and a status that is still running. */
async function runWith(...events: NewEvent[]): Promise<{ run: string; owner: Owner }> {
  const run = folder();
  writeFileSync(runPaths(run).spec, specText('tiny'));
  const owner = await owned(run);
  writeStatus(run, { ...newStatus('running'), nonce: owner.nonce, step: 9 });
  const journal = Journal.open(runPaths(run).events);
  for (const event of events) journal.append(event);
  journal.close();
  return { run, owner };
}

const ends = (run: string) => {
  const { events, status } = readRunSummary(run);
  return { kinds: events.map((e) => e.kind), state: status?.state };
};

describe('recording the failure of a run', () => {
  it('writes it if the trainer has written nothing', async () => {
    const { run, owner } = await runWith();
    recordFailure(run, disk);
    expect(ends(run)).toEqual({ kinds: ['failed'], state: 'failed' });
    owner.release();
  });

  it('does not repeat it if only the status could not be written', async () => {
    const { run, owner } = await runWith(failedEvent(9, disk));
    recordFailure(run, disk);
    expect(ends(run)).toEqual({ kinds: ['failed'], state: 'failed' });
    expect(readRunSummary(run).status).toMatchObject({ step: 9 });
    owner.release();
  });

  it('writes nothing after the final line of a run that has ended', async () => {
    const { run, owner } = await runWith({ kind: 'stopped', step: 9, reason: 'requested' });
    recordFailure(run, disk);
    expect(ends(run)).toEqual({ kinds: ['stopped'], state: 'stopped' });
    owner.release();
  });

  it('writes it after the final line of an earlier process', async () => {
    const { run, owner } = await runWith({ kind: 'stopped', step: 9, reason: 'requested' });
    owner.release();
    const next = await owned(run);
    recordFailure(run, disk);
    expect(ends(run)).toEqual({ kinds: ['stopped', 'failed'], state: 'failed' });
    next.release();
  });
});
