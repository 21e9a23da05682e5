import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../../../src/runs/journal/journal';
import { effectiveEvents, journalEvents, parseJournal } from '../../../../src/runs/journal/journal-reader';
import type { NewEvent } from '../../../../src/protocol/events';
import { temporaryFolders } from '../folder';

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
  it('numbers and dates its events, also when reopened', () => {
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

  it('truncated at any byte, contains the complete events and continues after them', () => {
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

  it('reports a complete line that is not the next event, with its file and line number', () => {
    const path = journalOf([warning('a'), warning('b')]);
    const [a, b] = readFileSync(path, 'utf8').split('\n');
    for (const lines of [[a, 'x', b], [a, a], [b], [a, 'null'], [a, '{"v":1,"seq":1}'], [a, '']]) {
      const bytes = Buffer.from(lines.map((l) => `${l}\n`).join(''));
      expect(() => parseJournal(bytes, 'events.jsonl')).toThrow(
        `events.jsonl:${lines[0] === b ? 1 : 2} is not event`,
      );
    }
  });

  it('ignores event kinds and versions that it does not support', () => {
    const path = journalOf([warning('a')]);
    appendFileSync(path, '{"v":1,"seq":1,"t":1,"kind":"hologram","step":9}\n');
    appendFileSync(path, '{"v":2,"seq":2,"t":1,"kind":"warning"}\n{"v":1,"seq":3,"t":1,"kind":"toString"}\n');
    journalOf([checkpoint(1)], path);
    expect(effectiveEvents(read(path)).map((e) => e.kind)).toEqual(['warning', 'checkpoint']);
  });

  it('omits events after the step that a resume returned to', () => {
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

  it('never repeats a step in its effective events, however often a run was killed and resumed', () => {
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

describe('a journal of two trainers', () => {
  const line = (seq: number, event: object, fields: object = {}) => ({
    v: 1,
    seq,
    t: seq,
    ...fields,
    ...event,
  });
  const bytesOf = (lines: object[]) => Buffer.from(lines.map((l) => `${JSON.stringify(l)}\n`).join(''));
  const steps = (lines: object[]) => {
    const events = journalEvents(bytesOf(lines), 'events.jsonl');
    return events.map((e) => ('step' in e ? e.step : e.kind === 'warning' ? e.message : e.kind));
  };
  const said = (lines: number) =>
    expect.stringContaining(
      `Two trainers wrote to this run at the same time. The journal shows the lines of the first; ${lines} of`,
    );
  const a = { w: 'aaaa' };
  const b = { w: 'bbbb' };
  const c = { w: 'cccc' };

  it("keeps the first one's lines and reports how many are left out", () => {
    const first = [line(0, checkpoint(1), a), line(1, checkpoint(2), a)];
    const lines = [
      ...first,
      line(2, resumed(1), b),
      line(2, checkpoint(3), a),
      line(3, checkpoint(20), b),
      line(3, checkpoint(4), a),
      line(4, checkpoint(30), b),
    ];
    expect(steps(lines)).toEqual([1, 2, said(3), 3, 4]);
    // The second one opened the journal just before the first one's next line.
    expect(steps([...first, line(2, checkpoint(3), a), line(2, resumed(1), b)])).toEqual([1, 2, 3, said(1)]);
    // The run's next owner continues the first one's numbering.
    const path = join(folder(), 'events.jsonl');
    writeFileSync(path, bytesOf([...lines, line(4, resumed(4), c)]));
    journalOf([checkpoint(5)], path);
    expect(read(path).map((e) => e.seq)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(read(path).map((e) => e.w)).toEqual(['aaaa', 'aaaa', 'aaaa', 'aaaa', 'cccc', undefined]);
  });

  it('keeps the lines of an owner that took over and omits what its predecessor wrote later', () => {
    const lines = [
      line(0, checkpoint(1), a),
      line(1, resumed(1), { ...b, after: 'aaaa' }),
      line(1, checkpoint(2), a),
      line(2, checkpoint(3), b),
    ];
    expect(steps(lines)).toEqual([1, 'resumed', said(1), 3]);
  });

  it("can be read and starts with the first one's lines, whatever their order", () => {
    fc.assert(
      fc.property(fc.nat(5), fc.array(fc.boolean(), { maxLength: 20 }), (alone, turns) => {
        const lines = Array.from({ length: alone + 1 }, (_, i) => ({ ...line(i, checkpoint(i)), ...a }));
        const next = { aaaa: alone + 1, bbbb: alone + 1 };
        for (const second of turns) {
          const w = second ? ('bbbb' as const) : ('aaaa' as const);
          lines.push({ ...line(next[w], second ? resumed(0) : checkpoint(next[w])), w });
          next[w]++;
        }
        const events = parseJournal(bytesOf(lines), 'events.jsonl');
        const ofFirst = lines.filter((l) => l.w === 'aaaa');
        // Lines of the second one after the first one's last line belong to a later owner.
        expect(events.slice(0, ofFirst.length)).toEqual(ofFirst);
        expect(events.map((e) => e.seq)).toEqual(events.map((_, i) => i));
      }),
    );
  });
});

it('a resume revokes the scores on test sets, whatever their step, since the run gets them again', () => {
  const score = (step: number): NewEvent => ({
    kind: 'test-evaluation',
    step,
    metrics: 'diverged',
    seconds: 1,
  });
  const path = journalOf([checkpoint(4), checkpoint(8), score(4), resumed(8), score(4)]);
  const kept = effectiveEvents(read(path));
  expect(kept.map((e) => [e.kind, e.seq])).toEqual([
    ['checkpoint', 0],
    ['checkpoint', 1],
    ['resumed', 3],
    ['test-evaluation', 4],
  ]);
});
