import { spawn } from 'node:child_process';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureMcpConformance } from '../../scripts/lib/mcp-conformance.mjs';
import { Lab } from '../cli/lab';
import { scratchFolder } from '../scratch';
import { Bridge } from './mcp-bridge';

/** The scenarios of a server without resources, prompts and the suite's own tools. */
const SCENARIOS = ['server-initialize', 'ping', 'tools-list'];

const lab = new Lab();
const bridge = new Bridge(lab.folder);
const folder = scratchFolder('mcp-conformance');
let url: string;

beforeAll(async () => (url = await bridge.start()));
afterAll(() => {
  bridge.stop();
  lab.remove();
});

it.each(SCENARIOS)('aurora mcp passes %s of the conformance suite', async (scenario) => {
  const args = [ensureMcpConformance(), 'server', '--url', url, '--scenario', scenario];
  const program = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, code] = await Promise.all([
    textOf(program.stdout),
    textOf(program.stderr),
    new Promise((resolve) => program.once('close', resolve)),
  ]);
  expect(code, `${out}\n${err.slice(-2000)}`).toBe(0);
  expect(out).toMatch(/Passed: [1-9]/);
});
