import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';
import { startWorkbench } from './lib/workbench/server.mjs';

const WORKSPACE = join(ROOT, 'demo');

/**
 * `npm run workbench`: a real VS Code with the built extension, on the demo workspace. Uses `code` from the PATH, else
 * a workbench in the browser. `--browser` always uses the browser; `--prepare` only makes what F5 needs.
 */
await main(async () => {
  ensureDependencies();
  await build();
  ensureUseLite();
  if (process.argv.includes('--prepare')) return;
  if (!process.argv.includes('--browser') && hasCode()) return openCode();
  await openBrowser();
});

// On Windows `code` is a .cmd file, which only a shell runs; the command line contains no user input.
const shell = process.platform === 'win32';
const hasCode = () => spawnSync('code', ['--version'], { stdio: 'ignore', shell }).status === 0;

function openCode() {
  say('Opening VS Code on demo/ …');
  const quoted = (text) => (shell ? `"${text}"` : text);
  const args = [`--extensionDevelopmentPath=${ROOT}`, WORKSPACE].map(quoted);
  return spawnSync('code', args, { stdio: 'inherit', shell }).status ?? 1;
}

async function openBrowser() {
  const name = 'workbench';
  const server = await startWorkbench({ version: '1.139', name, keepProfile: true, extension: ROOT });
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  console.log(`\n  ${server.url(WORKSPACE)}\n`);
  say('Open it in a browser on this machine. After a change: npm run build, then reload. Ctrl-C stops.');
  await stopped;
  await server.stop();
}
