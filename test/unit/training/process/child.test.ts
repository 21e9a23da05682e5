import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { askChild, SIGN_OF_LIFE } from '../../../../src/training/process/child';

const folder = mkdtempSync(join(tmpdir(), 'aurora-child-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, text: string): string {
  const path = join(folder, `${name}.cjs`);
  writeFileSync(path, text);
  return path;
}

describe('a child process that is asked', () => {
  it('may take longer than the limit if it says that it works', async () => {
    const slow = program(
      'slow',
      `const work = setInterval(() => console.log('${SIGN_OF_LIFE}'), 250);
       setTimeout(() => { clearInterval(work); console.log(JSON.stringify({ rate: 2 })); }, 13_000);`,
    );
    const end = await askChild<{ rate: number }>({ program: slow, args: [], limit: 10_000 });
    expect(end).toEqual({ answer: { rate: 2 }, printed: '', how: 'exit code 0' });
  });

  it('is ended if it says nothing for the limit', async () => {
    const hanging = program('hanging', `console.log('a driver prints'); setInterval(() => {}, 1000);`);
    const end = await askChild({ program: hanging, args: [], limit: 500 });
    expect(end).toMatchObject({ answer: undefined, how: 'SIGKILL', ended: 'late' });
  });

  it('that crashes after it has worked gives no answer', async () => {
    const crashing = program('crashing', `console.log('${SIGN_OF_LIFE}'); process.exit(3);`);
    const end = await askChild({ program: crashing, args: [], limit: 60_000 });
    expect(end).toEqual({ answer: undefined, printed: '', how: 'exit code 3' });
  });
});
