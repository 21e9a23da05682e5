/**
 * What a trainer inherits from the editor's environment. This is an allow-list: the editor's own variables
 * (NODE_OPTIONS, ELECTRON_RUN_AS_NODE, VSCODE_…) change what Node does, and tokens must not leak.
 */
const NAMES = new Set(
  (
    'PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR TEMP TMP SHELL ' +
    // Windows: programs and the runtime's libraries do not load without them.
    'USERPROFILE HOMEDRIVE HOMEPATH USERNAME APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES SYSTEMROOT ' +
    'SYSTEMDRIVE WINDIR COMSPEC PATHEXT NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE ' +
    // Where GPU libraries are found.
    'LD_LIBRARY_PATH DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH ' +
    // How long a check of this machine measures each device.
    'AURORA_DOCTOR_SECONDS'
  ).split(' '),
);
const PREFIXES = ['LC_', 'CUDA_', 'CUDNN_', 'NVIDIA_', 'ORT_', 'OMP_', 'VK_', 'DXC_', 'XDG_'];

/** Windows compares names case-insensitively: "Path" is PATH. */
export function trainerEnvironment(
  from: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): NodeJS.ProcessEnv {
  const known = (name: string) => {
    const key = platform === 'win32' ? name.toUpperCase() : name;
    return NAMES.has(key) || PREFIXES.some((prefix) => key.startsWith(prefix));
  };
  return Object.fromEntries(Object.entries(from).filter(([name]) => known(name)));
}

/** Additional variables for an installer: proxies, and package mirrors. */
const NETWORK =
  /^((GLOBAL_AGENT_)?(HTTPS?|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|CDN_STORAGE|(npm_config_)?TFJS_.*|npm_config_(https?_|no)?proxy)$/i;

export const networkEnvironment = (from: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(from).filter(([name]) => NETWORK.test(name)));
