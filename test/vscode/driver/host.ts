import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import { build } from 'esbuild';
import {
  startWorkbench,
  type Version,
  type WorkbenchOptions,
} from '../../../scripts/lib/workbench/server.mjs';
import { launch } from './browser';
import { programs } from './processes';

const ROOT = join(__dirname, '..', '..', '..');
const HOST = join(ROOT, 'test/vscode/host');
/** Only for what hangs: no test depends on speed. */
const LIMIT_MS = 1_800_000;

export interface HostTest {
  fullTitle: string;
  /** Milliseconds. */
  duration: number;
  err: { message?: string; stack?: string };
}
export interface HostReport {
  passes: HostTest[];
  failures: HostTest[];
  pending: HostTest[];
  /** Error-level lines in the extension host's log that name our extension. */
  errors: string[];
}

/**
 * Runs test/vscode/host/<suite>.ts with mocha in the extension host of a workbench with the VSIX installed as
 * a user would. The tests are a separate extension.
 */
export async function hostTests(
  version: Version,
  suites: string[],
  options: { vsix: string; folder: string } & Partial<WorkbenchOptions>,
): Promise<HostReport> {
  const name = options.name ?? `host-${suites.join('-')}-${version}`;
  const tests = await bundle(name, suites);
  const report = join(tests, 'report.json');
  const server = await startWorkbench({
    ...options,
    version,
    name,
    // Newer versions need this to let a page run tests.
    flags: version === '1.100' ? [] : ['--vscode-option', 'enable-smoke-test-driver'],
    env: { ...options.env, AURORA_HOST_REPORT: report },
  });
  const said: string[] = [];
  try {
    const page = await (await launch()).newPage({ permissions: ['clipboard-read', 'clipboard-write'] });
    let exit: (code: number | undefined) => void;
    const done = new Promise<number | undefined>((resolve) => (exit = resolve));
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
      said.push(format(...args));
    });
    await page.exposeFunction('codeAutomationExit', (code: number) => exit(code));
    const remote = (path: string) => `vscode-remote://127.0.0.1:${server.port}${path}`;
    await page.goto(
      server.url(options.folder, [
        ['extensionDevelopmentPath', remote(tests)],
        ['extensionTestsPath', remote(join(tests, 'index.cjs'))],
        ['skipWelcome', 'true'],
      ]),
    );
    const timer = setTimeout(() => exit(undefined), LIMIT_MS);
    const code = await done;
    clearTimeout(timer);
    await page.close();
    if (!existsSync(report))
      throw new Error(`No report from the extension host (exit ${code}): ${said.slice(-20).join('\n')}`);
  } finally {
    await server.stop();
    // A suite that was cut short leaves its trainer, which would write into folders that are being removed.
    for (const pid of programs(server.profile, 'train')) process.kill(pid, 'SIGKILL');
  }
  const { passes, failures, pending } = JSON.parse(readFileSync(report, 'utf8')) as HostReport;
  return { passes, failures, pending, errors: hostErrors(server.profile) };
}

/**
 * VS Code's own races (ExtHostTreeView): a row was expanded while its parent was being refreshed, which removes the row
 * until the provider has answered; two requests for the same row's children overlapped, and the second finds the first's;
 * or a row was to be revealed during either. The refresh that follows asks again.
 */
const TREE_RACES =
  /No tree item with id '[^']*' found|Element with id \S+ is already registered|Cannot resolve tree item for element/;

/** Errors of our extension in the extension host's log. */
export function hostErrors(profile: string): string[] {
  const logs = join(profile, 'data', 'logs');
  return readdirSync(logs, { recursive: true, encoding: 'utf8' })
    .filter((path) => /remoteexthost\.log$|AuroRA[^/]*\.log$/.test(path))
    .flatMap((path) => readFileSync(join(logs, path), 'utf8').split('\n'))
    .filter((line) => /\[error\]/.test(line) && /aurora/i.test(line) && !TREE_RACES.test(line));
}

async function bundle(name: string, suites: string[]): Promise<string> {
  const folder = join(ROOT, '.cache/workbench/host-tests', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['index', ...suites].map((suite) => join(HOST, `${suite}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  const manifest = {
    name: 'aurora-lab-tests',
    publisher: 'aurora-lab',
    version: '0.0.1',
    engines: { vscode: '^1.100.0' },
    extensionKind: ['workspace'],
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}
