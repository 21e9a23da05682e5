import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../console.mjs';
import { ensureWorkbench } from './install.mjs';
import { HOME } from './versions.mjs';

const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 5000;
const INSTALL_LIMIT_MS = 300_000;
/** An installed package unused for this long may be removed. */
const STALE_MS = 30 * 60_000;

const FORCE = { recursive: true, force: true };

export const THEMES = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'hc-dark': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
};

/** A bare profile shows a welcome page, a trust prompt and a chat, none of which is under test. */
const settings = (theme, trust) => ({
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': trust,
  'security.workspace.trust.startupPrompt': 'never',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'window.dialogStyle': 'custom',
  'workbench.colorTheme': THEMES[theme],
});

/**
 * A workbench server on a free port, with its own profile (.cache/workbench/profiles/<name>, recreated).
 * @param {{ version: string, name: string, vsix?: string, extension?: string, theme?: string, trust?: boolean,
 * keepProfile?: boolean,
 *   settings?: Record<string, unknown>, env?: Record<string, string>, flags?: string[] }} options
 *   `extension`: a folder with an unpackaged one; `trust`: whether VS Code asks for trust, so that a folder opens
 *   untrusted
 */
export async function startWorkbench(options) {
  const { version, name, vsix, theme = 'dark', trust = false, flags = [] } = options;
  const { node, entry } = ensureWorkbench(version);
  const profile = join(HOME, 'profiles', name);
  if (!options.keepProfile) rmSync(profile, { recursive: true, force: true });
  const user = join(profile, 'data/User');
  mkdirSync(user, { recursive: true });
  const settingsFile = join(user, 'settings.json');
  if (!existsSync(settingsFile))
    writeFileSync(settingsFile, JSON.stringify({ ...settings(theme, trust), ...options.settings }, null, 2));
  const extensions = vsix ? installed(version, vsix, { node, entry }) : join(profile, 'extensions');
  mkdirSync(extensions, { recursive: true });
  if (options.extension) linkExtension(options.extension, extensions);
  // Sockets must have short paths.
  const sockets = mkdtempSync(join(tmpdir(), 'aurora-wb-'));
  const port = await freePort();
  const logFile = join(profile, 'server.log');
  const log = openSync(logFile, 'w');
  const server = spawn(
    node,
    [
      entry,
      ...[
        '--bind-addr',
        `127.0.0.1:${port}`,
        '--auth',
        'none',
        '--disable-telemetry',
        '--disable-update-check',
      ],
      ...['--disable-getting-started-override', '--user-data-dir', join(profile, 'data')],
      ...['--extensions-dir', extensions, ...(trust ? [] : ['--disable-workspace-trust']), ...flags],
    ],
    // Its own group, so that all its descendants stop with it.
    { detached: true, stdio: ['ignore', log, log], env: environment(profile, sockets, options.env) },
  );
  closeSync(log);
  const gone = new Promise((resolve) => server.once('exit', resolve));
  const signal = (kind) => {
    try {
      process.kill(-server.pid, kind);
    } catch {
      // Already gone.
    }
  };
  const onExit = () => signal('SIGKILL');
  process.once('exit', onExit);
  const stop = async () => {
    process.removeListener('exit', onExit);
    signal('SIGTERM');
    await Promise.race([gone, sleep(STOP_LIMIT_MS)]);
    signal('SIGKILL');
    await gone;
    rmSync(sockets, { recursive: true, force: true });
  };
  try {
    await healthy(port, gone, logFile);
  } catch (e) {
    await stop();
    throw e;
  }
  const url = (folder, payload) =>
    `http://127.0.0.1:${port}/?${folder ? `folder=${encodeURIComponent(folder)}` : 'ew=true'}` +
    (payload ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : '');
  return { port, profile, extensions, logFile, url, stop };
}

/** Hashes of packages, which have up to 112 MB, by path and time of the last change. */
const hashes = new Map();

function contentOf(vsix) {
  const key = `${vsix} ${statSync(vsix).mtimeMs}`;
  if (!hashes.has(key))
    hashes.set(key, createHash('sha256').update(readFileSync(vsix)).digest('hex').slice(0, 12));
  return hashes.get(key);
}

/**
 * Packages installed once per version and content; a window sees no difference, and 170 MB need not be copied each
 * time.
 */
function installed(version, vsix, { node, entry }) {
  const hash = contentOf(vsix);
  const home = join(HOME, 'extensions');
  const folder = join(home, `${version}-${hash}`);
  const stamp = join(folder, 'installed');
  mkdirSync(home, { recursive: true });
  const release = locked(`${folder}.lock`, () => existsSync(stamp));
  if (!release) {
    utimesSync(stamp, new Date(), new Date());
    return folder;
  }
  try {
    for (const other of readdirSync(home)) if (isStale(join(home, other))) rmSync(join(home, other), FORCE);
    install(version, vsix, { node, entry, folder });
    writeFileSync(stamp, '');
  } finally {
    release();
  }
  return folder;
}

/**
 * Takes a lock for work that is not done yet. Returns undefined if it is done, possibly by another test in
 * the meantime.
 */
function locked(lock, done) {
  for (;;) {
    if (done()) return undefined;
    try {
      mkdirSync(lock);
      return () => rmSync(lock, FORCE);
    } catch (e) {
      if (e.code !== 'EEXIST') throw e;
    }
    const held = statSync(lock, { throwIfNoEntry: false });
    // Left by a process that was killed during the work.
    if (held && Date.now() - held.mtimeMs > INSTALL_LIMIT_MS) rmSync(lock, FORCE);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function install(version, vsix, { node, entry, folder }) {
  const data = `${folder}.data`;
  const run = spawnSync(
    node,
    [entry, '--install-extension', vsix, '--extensions-dir', folder, '--user-data-dir', data],
    { encoding: 'utf8', timeout: INSTALL_LIMIT_MS, env: environment(data, tmpdir()) },
  );
  rmSync(data, { recursive: true, force: true });
  if (run.status !== 0 || !/successfully installed/.test(run.stdout))
    throw new Failure(`VS Code ${version} could not install ${vsix}:\n${run.stdout}${run.stderr}`);
}

/** Another workbench may still be using an older package. */
function isStale(folder) {
  const may = { throwIfNoEntry: false };
  const used = statSync(join(folder, 'installed'), may) ?? statSync(folder, may);
  return used !== undefined && Date.now() - used.mtimeMs > STALE_MS;
}

/** A folder in the extensions folder is an extension if its name says so. */
function linkExtension(folder, extensions) {
  const { publisher, name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const link = join(extensions, `${publisher}.${name}-${version}`);
  rmSync(link, { recursive: true, force: true });
  symlinkSync(folder, link);
}

/** Configures no gallery, so that no request leaves the machine, and none of the user's own settings. */
function environment(home, sockets, more = {}) {
  const env = {
    ...process.env,
    HOME: join(home, 'home'),
    XDG_CONFIG_HOME: join(home, 'home/.config'),
    XDG_DATA_HOME: join(home, 'home/.local/share'),
    XDG_CACHE_HOME: join(home, 'home/.cache'),
    XDG_RUNTIME_DIR: sockets,
    EXTENSIONS_GALLERY: '{}',
    ...more,
  };
  mkdirSync(env.HOME, { recursive: true });
  // A server started from a VS Code terminal would pass its requests to that VS Code.
  for (const name of Object.keys(env))
    if (/^(VSCODE_|npm_|NODE_OPTIONS$|VITEST|ELECTRON_)/.test(name)) delete env[name];
  return env;
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

async function healthy(port, gone, logFile) {
  let ended = false;
  void gone.then(() => (ended = true));
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end && !ended; await sleep(100)) {
    const ok = await fetch(`http://127.0.0.1:${port}/healthz`)
      .then((r) => r.ok)
      .catch(() => false);
    if (ok) return;
  }
  throw new Failure(`The workbench's server did not start; its log is ${logFile}.`);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
