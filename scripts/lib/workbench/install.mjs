import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Failure, say } from '../console.mjs';
import { fetchPackage } from '../npm-package.mjs';
import { ensureChromium, ensurePackages } from '../system.mjs';
import { readTarball } from '../tarball.mjs';
import { HOME, VERSIONS } from './versions.mjs';

/** The packages for building its native modules; ripgrep is 1.100's search. */
const PACKAGES = ['ripgrep', 'python3', 'make', 'g++', 'pkg-config'];
const LIBRARIES = ['libkrb5-dev', 'libsecret-1-dev', 'libx11-dev', 'libxkbfile-dev'];
const INSTALL_LIMIT_MS = 15 * 60_000;

/**
 * A real VS Code workbench in .cache/workbench, from npm; one to four minutes the first time.
 * @param {string} version of VERSIONS
 * @returns {{ node: string, entry: string }} the program and its script
 */
export function ensureWorkbench(version) {
  const here = VERSIONS[version].node[process.arch];
  if (process.platform !== 'linux' || !here)
    throw new Failure(
      'The browser workbench only runs on Linux (x64 or arm64).',
      'Install VS Code and put `code` on the PATH: `npm run workbench` then uses that.',
    );
  ensureChromium();
  const folder = join(HOME, version);
  const entry = join(folder, 'node_modules/code-server/out/node/entry.js');
  const { codeServer } = VERSIONS[version];
  const stamp = join(folder, 'installed');
  const node = ensureNode(here);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === codeServer) return { node, entry };
  ensurePackages([...PACKAGES, ...LIBRARIES]);
  say(`Installing VS Code ${version} for tests (code-server ${codeServer}) …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const npm = npmUnder(node, join(HOME, `install-${version}.log`));
  if (version === '1.100') installOld(folder, codeServer, npm);
  else npm(folder, ['install', `code-server@${codeServer}`]);
  writeFileSync(stamp, codeServer);
  return { node, entry };
}

/** Its post-install script refuses root, and its ripgrep needs a download, so each step runs explicitly. */
function installOld(folder, codeServer, npm) {
  npm(folder, ['install', '--ignore-scripts', `code-server@${codeServer}`]);
  npm(folder, ['rebuild', 'argon2']);
  const vscode = join(folder, 'node_modules/code-server/lib/vscode');
  npm(vscode, ['install', '--omit=dev', '--ignore-scripts']);
  // node-pty's own step runs `npx node-gyp`, and npx may not be allowed to fetch it.
  npm(vscode, ['install', '--no-save', '--omit=dev', '--ignore-scripts', 'node-gyp@12']);
  npm(vscode, ['rebuild', 'node-pty', '@vscode/spdlog', 'native-watchdog', 'kerberos']);
  const ripgrep = join(vscode, 'node_modules/@vscode/ripgrep/bin');
  mkdirSync(ripgrep, { recursive: true });
  link('/usr/bin/rg', join(ripgrep, 'rg'));
  link('code-linux.sh', join(vscode, 'bin/remote-cli/code-server'));
  link('browser-linux.sh', join(vscode, 'bin/helpers/browser.sh'));
  npm(join(vscode, 'extensions'), ['install', '--omit=dev', '--ignore-scripts']);
}

function link(target, path) {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

/** npm's package of Node includes the headers, which node-gyp would otherwise download. */
function ensureNode(pkg) {
  const folder = join(HOME, pkg.spec.replace('@', '-'));
  const program = join(folder, 'bin/node');
  if (existsSync(join(folder, 'installed'))) return program;
  for (const [name, content] of readTarball(fetchPackage(pkg))) {
    if (!/^(bin\/node$|include\/)/.test(name)) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  chmodSync(program, 0o755);
  writeFileSync(join(folder, 'installed'), '');
  return program;
}

function npmUnder(node, logFile) {
  const log = openSync(logFile, 'w');
  return (cwd, args) => {
    const env = {
      ...process.env,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
      npm_config_nodedir: dirname(dirname(node)),
      // Our own .npmrc disables them, and npm passes that on to every npm below it.
      npm_config_ignore_scripts: 'false',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
    };
    // They name the Node and npm that run this script, which is a different Node.
    for (const name of ['npm_node_execpath', 'npm_execpath', 'npm_config_user_agent', 'NODE'])
      delete env[name];
    const run = spawnSync('npm', args, { cwd, env, stdio: ['ignore', log, log], timeout: INSTALL_LIMIT_MS });
    if (run.status !== 0)
      throw new Failure(
        `npm ${args.join(' ')} failed in ${cwd}${run.error ? ` (${run.error.message})` : ''}.`,
        `The output of npm is in ${logFile}.`,
      );
  };
}
