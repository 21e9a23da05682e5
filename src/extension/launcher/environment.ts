/**
 * The variables that a trainer inherits from the editor's environment. This is an allow-list: the editor's own
 * variables (NODE_OPTIONS, ELECTRON_RUN_AS_NODE, VSCODE_…) change Node's behavior, and tokens must not leak.
 */
const NAMES = new Set(
  (
    'PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR TEMP TMP SHELL ' +
    // Windows: programs and the runtime's libraries do not load without them.
    'USERPROFILE HOMEDRIVE HOMEPATH USERNAME APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES SYSTEMROOT ' +
    'SYSTEMDRIVE WINDIR COMSPEC PATHEXT NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE ' +
    // The user's own settings of the allocator (`largePages`).
    'GLIBC_TUNABLES ' +
    // The folders of GPU libraries.
    'LD_LIBRARY_PATH DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH ' +
    // The hub's cache, in which an experiment's references lead to files. Not the token.
    'HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE ' +
    // The time in which a check of this machine measures each device.
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

const networkEnvironment = (from: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(from).filter(([name]) => NETWORK.test(name)));

/**
 * The user's access to a cluster: the agent with their ssh keys, Slurm's and kubectl's configuration. It excludes
 * variables of a job that the editor itself may run in, and paths of credentials rather than tokens.
 */
const CLUSTER =
  /^(SSH_AUTH_SOCK|KRB5CCNAME|SLURM_(CONF|CONF_SERVER|CLUSTERS)|(SBATCH|SQUEUE|SACCT|SCANCEL)_\w+|KUBECONFIG|AWS_(PROFILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|REGION)|CLOUDSDK_CONFIG|GOOGLE_APPLICATION_CREDENTIALS|AZURE_CONFIG_DIR|AURORA_CLUSTER_LOOK_MS)$/;

/** In addition for a program that runs sbatch, ssh or kubectl. */
export const clusterEnvironment = (from: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...networkEnvironment(from),
  ...Object.fromEntries(Object.entries(from).filter(([name]) => CLUSTER.test(name))),
});

const PROXY = /^(GLOBAL_AGENT_)?(HTTPS?|NO)_PROXY$|^npm_config_(https?_|no)?proxy$/i;

/** The editor's settings for proxies: http.proxySupport, http.proxy and http.noProxy. */
export interface ProxySettings {
  support: string;
  proxy: string;
  noProxy: readonly string[];
}

/** Proxies and certificates of a program that downloads. As in the editor, its settings precede the environment. */
export function downloadEnvironment(
  from: NodeJS.ProcessEnv,
  { support, proxy, noProxy }: ProxySettings,
): NodeJS.ProcessEnv {
  const inherited = networkEnvironment(from);
  if (support === 'off' || proxy.trim() === '') return inherited;
  // Programs read a variable in small letters before the same one in capitals.
  const others = Object.entries(inherited).filter(
    ([name]) => !PROXY.test(name) || (noProxy.length === 0 && /no_?proxy$/i.test(name)),
  );
  const none = noProxy.length > 0 ? { NO_PROXY: noProxy.join(',') } : {};
  return { ...Object.fromEntries(others), HTTPS_PROXY: proxy.trim(), HTTP_PROXY: proxy.trim(), ...none };
}

/** The variables that huggingface_hub's users set beside it: a mirror, offline mode, access, certificates. */
const HUB =
  /^(HF_ENDPOINT|HF_HUB_OFFLINE|TRANSFORMERS_OFFLINE|HF_HUB_DISABLE_XET|HF_TOKEN|HUGGING_FACE_HUB_TOKEN|HF_TOKEN_PATH|HF_HUB_DISABLE_IMPLICIT_TOKEN|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/;

/**
 * In addition for a program that asks the Hugging Face hub.
 *
 * @param token of the account that the user is signed in to in the editor, before any other
 */
export const hubEnvironment = (from: NodeJS.ProcessEnv, token: string | undefined): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(from).filter(([name]) => HUB.test(name))),
  ...(token !== undefined && { HF_TOKEN: token }),
});
