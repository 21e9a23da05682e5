import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainerThere } from '../../src/executors/cluster/cluster';

/** The behavior of a task of the fake trainer. */
export interface FakeTask {
  /** In ms. */
  lasts?: number;
  /** With what it ends, of its first start, its second and so on; the last one repeats. */
  exits: readonly number[];
}

/** Notes each start beside the task, saves on SIGTERM, and ends as the task says. */
const PROGRAM = `
const { appendFileSync, readFileSync } = require('node:fs');
const file = process.argv[3];
const { lasts = 0, exits } = JSON.parse(readFileSync(file, 'utf8'));
const { AURORA_JOB: job, AURORA_JOB_FAILURES: f, AURORA_JOB_IGNORED_FAILURES: i } = process.env;
appendFileSync(file + '.starts', [job, f, i].join(' ') + '\\n');
const starts = readFileSync(file + '.starts', 'utf8').trim().split('\\n').length;
process.on('SIGTERM', () => { console.log('saved'); process.exit(75); });
console.log('start ' + starts);
setTimeout(() => process.exit(exits[Math.min(starts, exits.length) - 1]), lasts);
`;

/** An image's trainer folder. */
export function fakeTrainer(folder: string): () => Promise<TrainerThere> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cli.cjs'), PROGRAM);
  const manifest = 'the manifest\n';
  writeFileSync(join(folder, 'SHA256SUMS'), manifest);
  const hash = createHash('sha256').update(manifest).digest('hex');
  return () => Promise.resolve({ program: '/opt/aurora/cli.cjs', hash });
}
