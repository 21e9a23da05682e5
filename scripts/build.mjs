import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundles } from './lib/bundles.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { writeManifest } from './lib/manifest.mjs';
import { stageGpu } from './lib/package/gpu.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const DIST = join(ROOT, 'dist');

/** Writes the manifest that the code declares, and bundles the programs and pages into dist/. Needs the dependencies. */
export async function build() {
  say('Building …');
  await writeManifest();
  const esbuild = await import('esbuild');
  await Promise.all(bundles(DIST).map((options) => esbuild.build(options))).catch(() => {
    throw new Failure('The build failed; the errors are above.');
  });
  linkNode();
  await stageGpu(DIST);
}

/** Rebuilds on every change until stopped. The two markers show .vscode/tasks.json when a build is complete. */
async function watch() {
  const esbuild = await import('esbuild');
  await writeManifest();
  linkNode();
  await stageGpu(DIST);
  let going = 0;
  let wrong = 0;
  const told = {
    name: 'told',
    setup(build) {
      build.onStart(() => {
        if (going++ === 0) say('Building …');
      });
      build.onEnd(({ errors }) => {
        wrong += errors.length;
        if (--going > 0) return;
        say(wrong ? `Built with ${wrong} errors` : 'Built');
        wrong = 0;
      });
    },
  };
  const contexts = await Promise.all(
    bundles(DIST).map((options) =>
      esbuild.context({ ...options, plugins: [...(options.plugins ?? []), told] }),
    ),
  );
  await Promise.all(contexts.map((context) => context.watch()));
}

/** A packaged extension includes a Node; the repository uses the one that built it. */
function linkNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const link = join(DIST, 'node', name);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  if (process.platform === 'win32') copyFileSync(process.execPath, link);
  else symlinkSync(process.execPath, link);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  await main(async () => {
    ensureDependencies();
    await (process.argv.includes('--watch') ? watch() : build());
  });
