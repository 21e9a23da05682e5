import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../../src/runs/journal';
import { effectiveEvents, parseJournal } from '../../../src/runs/journal-reader';
import type { NewEvent } from '../../../src/shared/events';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();
const read = (path: string) => parseJournal(readFileSync(path), path);
const warning = (message: string): NewEvent => ({ kind: 'warning', message });
const checkpoint = (step: number): NewEvent => ({ kind: 'checkpoint', step, path: `step ${step}` });
const resumed = (fromStep: number): NewEvent => ({ kind: 'resumed', fromStep, pid: 1, warnings: [] });

function journalOf(events: NewEvent[], path = join(folder(), 'events.jsonl')): string {
  const journal = Journal.open(path);
  for (const event of events) journal.append(event);
  journal.close();
  return path;
}

describe('the journal', () => {
  it('numbers and dates its events, across openings', () => {
    const before = Date.now();
    const path = journalOf([warning('one'), checkpoint(5)]);
    journalOf([warning('zwölf\n🌌')], path);
    const events = read(path);
    expect(events).toMatchObject([
      { v: 1, seq: 0, kind: 'warning', message: 'one' },
      { v: 1, seq: 1, kind: 'checkpoint', step: 5 },
      { v: 1, seq: 2, kind: 'warning', message: 'zwölf\n🌌' },
    ]);
    for (const { t } of events) expect(t).toBeGreaterThanOrEqual(before);
  });

  it('torn at any byte it reads as the events before, and goes on from there', () => {
    const path = journalOf([warning('a'), resumed(3), warning('ü🌌')]);
    const bytes = readFileSync(path);
    const whole = read(path);
    for (let n = 0; n <= bytes.length; n++) {
      const torn = bytes.subarray(0, n);
      const lines = torn.filter((b) => b === 0x0a).length;
      expect(parseJournal(torn, path)).toEqual(whole.slice(0, lines));
      writeFileSync(path, torn);
      journalOf([warning('next')], path);
      expect(read(path)).toEqual([
        ...whole.slice(0, lines),
        { v: 1, seq: lines, t: expect.any(Number), ...warning('next') },
      ]);
    }
  });

  it('a line that is whole but no event, or out of place, is an error with file and line', () => {
    const path = journalOf([warning('a'), warning('b')]);
    const [a, b] = readFileSync(path, 'utf8').split('\n');
    for (const lines of [[a, 'x', b], [a, a], [b], [a, 'null'], [a, '{"v":1,"seq":1}'], [a, '']]) {
      const bytes = Buffer.from(lines.map((l) => `${l}\n`).join(''));
      expect(() => parseJournal(bytes, 'events.jsonl')).toThrow(
        `events.jsonl:${lines[0] === b ? 1 : 2} is not event`,
      );
    }
  });

  it('passes over kinds and versions of the future', () => {
    const path = journalOf([warning('a')]);
    appendFileSync(path, '{"v":1,"seq":1,"t":1,"kind":"hologram","step":9}\n');
    appendFileSync(path, '{"v":2,"seq":2,"t":1,"kind":"warning"}\n{"v":1,"seq":3,"t":1,"kind":"toString"}\n');
    journalOf([checkpoint(1)], path);
    expect(effectiveEvents(read(path)).map((e) => e.kind)).toEqual(['warning', 'checkpoint']);
  });

  it('drops what a resume took back', () => {
    const path = journalOf([
      checkpoint(5),
      checkpoint(10),
      warning('kept'),
      { kind: 'failed', step: 12, error: 'x', message: 'y' },
      resumed(5),
      checkpoint(10),
      checkpoint(15),
      resumed(10),
      checkpoint(20),
    ]);
    expect(effectiveEvents(read(path)).map((e) => e.seq)).toEqual([0, 2, 4, 5, 7, 8]);
  });

  it('what counts never repeats a step, however often a run was killed and resumed', () => {
    const segments = fc.array(fc.tuple(fc.nat(10), fc.nat(10)), { maxLength: 6 });
    fc.assert(
      fc.property(segments, (list) => {
        const events: NewEvent[] = [];
        let reached = 0;
        for (const [back, forward] of list) {
          const from = Math.max(0, reached - back);
          events.push(resumed(from));
          for (let step = from + 1; step <= from + forward; step++) events.push(checkpoint(step));
          reached = from + forward;
        }
        const steps = effectiveEvents(events.map((e, seq) => ({ v: 1, seq, t: 0, ...e }))).flatMap((e) =>
          'step' in e ? [e.step] : [],
        );
        expect(steps).toEqual(Array.from({ length: reached }, (_, i) => i + 1));
      }),
    );
  });
});
